package xcat

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxFileName is the longest name of a file in bytes.
const maxFileName = 255

// BundleName returns the name that an image has in its bundle and in file names: each
// run of white space becomes an underscore.
func BundleName(image string) string {
	var b strings.Builder
	for i := 0; i < len(image); i++ {
		switch {
		case !isSpace(image[i]):
			b.WriteByte(image[i])
		case i == 0 || !isSpace(image[i-1]):
			b.WriteByte('_')
		}
	}
	return b.String()
}

// checkImageName returns an error if no bundle can hold the image, because
// its name cannot be that of the bundle's top directory.
func checkImageName(image string) error {
	name := BundleName(image)
	switch {
	case image == "":
		return errors.New("the image has no name")
	case strings.TrimSpace(image) == "":
		return fmt.Errorf("image name %q: a manifest cannot carry a name of white space; rename the image", image)
	case strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("image name %q: a file name cannot hold a slash or a NUL byte; rename the image", image)
	case name[0] == '.':
		return fmt.Errorf("image name %q: imgimport does not see a directory whose name begins with a dot; rename the image", image)
	case len(name) > maxFileName:
		return fmt.Errorf("image name of %d bytes: a file name has at most %d; rename the image", len(name), maxFileName)
	}
	return nil
}

// NodePrefix marks the names of directories that show the images as exported for a
// node.
const NodePrefix = "@"

// The names that an image has in a directory are its bundle's name, and that
// name with these endings.
const (
	BundleSuffix   = ".tgz"
	ChecksumSuffix = ".tgz.sha256"
	ErrorsSuffix   = ".errors"
)

// Offer says which names an image has in a directory.
type Offer struct {
	Image string // as the tables spell it
	Name  string // see BundleName
	Clash error  // why the image cannot have its names, or nil
}

// ErrorsName returns the name of the image's file of errors. It is NAME.errors, except
// where NAME cannot be one of a file: slashes become %2F, NUL bytes %00, a dash at the
// beginning %2D, and what is too long ends in a hash.
func (o Offer) ErrorsName() string {
	name := fileNameEscapes.Replace(o.Name)
	if rest, dashed := strings.CutPrefix(name, "-"); dashed {
		name = "%2D" + rest
	}
	if len(name)+len(ErrorsSuffix) > maxFileName {
		sum := sha256.Sum256([]byte(name))
		tail := "~" + hex.EncodeToString(sum[:8])
		name = name[:maxFileName-len(ErrorsSuffix)-len(tail)] + tail
	}
	return name + ErrorsSuffix
}

var fileNameEscapes = strings.NewReplacer("/", "%2F", "\x00", "%00")

// Offers gives the names of a directory to images, in byte order. An image gets NAME,
// NAME.tgz, NAME.tgz.sha256 and NAME.errors, unless NAME is not valid for a file, would
// be an option in the arguments of a program (cp *.tgz), or an earlier image has one of
// the four. Then it gets only its ErrorsName, if that is free.
func Offers(images []string) []Offer {
	images = slices.Sorted(slices.Values(images))
	offers := make([]Offer, 0, len(images))
	owner := make(map[string]string, 4*len(images))
	for _, image := range images {
		o := Offer{Image: image, Name: BundleName(image)}
		o.Clash = checkOffer(o, owner)
		names := []string{o.ErrorsName()}
		if o.Clash == nil {
			names = append(names, o.Name, o.Name+BundleSuffix, o.Name+ChecksumSuffix)
		}
		for _, name := range names {
			if _, taken := owner[name]; !taken {
				owner[name] = image
			}
		}
		offers = append(offers, o)
	}
	return offers
}

// checkOffer returns why the image cannot have its names when others have the
// names in owner.
func checkOffer(o Offer, owner map[string]string) error {
	if err := checkImageName(o.Image); err != nil {
		return err
	}
	if strings.HasPrefix(o.Name, NodePrefix) {
		return fmt.Errorf("image name %q: names that begin with %s are reserved for nodes; export it by itself with the export command", o.Image, NodePrefix)
	}
	if strings.HasPrefix(o.Name, "-") {
		return fmt.Errorf("image name %q: cp *.tgz and rsync would take a name that begins with a dash for an option; rename the image, or export it by itself with the export command", o.Image)
	}
	if longest := o.Name + ChecksumSuffix; len(longest) > maxFileName {
		return fmt.Errorf("image name of %d bytes: with %s it is longer than a file name can be (%d); export it by itself with the export command", len(o.Name), ChecksumSuffix, maxFileName)
	}
	for _, suffix := range []string{"", BundleSuffix, ChecksumSuffix, ErrorsSuffix} {
		if other, taken := owner[o.Name+suffix]; taken {
			return fmt.Errorf("image %q cannot be shown: image %q has the name %s already; rename one of them, or export it by itself with the export command", o.Image, other, o.Name+suffix)
		}
	}
	return nil
}
