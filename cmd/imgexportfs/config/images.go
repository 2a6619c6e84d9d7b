package config

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Image says what the bundle of an image holds besides the image.
type Image struct {
	Pattern string   // the name of an image, or a glob
	Line    int      // of the file
	Extras  []string // as for -e of imgexport: FILE or FILE:DIRECTORY
	Node    string   // as for -p of imgexport; "" for none
}

// The keys of an image.
const (
	extraKey       = "extra"
	postscriptsKey = "postscripts"
)

// Image returns what the file says of an image: under its name, or else under the first
// glob that matches it.
func (f *File) Image(name string) Image {
	if f == nil {
		return Image{}
	}
	for _, image := range f.Images {
		if image.Pattern == name {
			return image
		}
	}
	for _, image := range f.Images {
		if matches, _ := path.Match(image.Pattern, name); matches { // readImages has checked the pattern
			return image
		}
	}
	return Image{}
}

// Idle returns the images of the file that stand for none of names: their pattern matches
// none, or what it matches stands under its own name or an earlier glob.
func (f *File) Idle(names []string) (idle []Image) {
	if f == nil {
		return nil
	}
	used := map[string]bool{}
	for _, name := range names {
		used[f.Image(name).Pattern] = true
	}
	for _, image := range f.Images {
		if !used[image.Pattern] {
			idle = append(idle, image)
		}
	}
	return idle
}

func (f *File) readImages(n *yaml.Node) error {
	return f.eachEntry(n, ImagesKey, func(pattern string, at, value *yaml.Node) error {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return f.Error(at.Line, "%q is neither the name of an image nor a valid pattern", pattern)
		}
		image := Image{Pattern: pattern, Line: at.Line}
		err := f.eachEntry(value, "image "+pattern, image.reader(f))
		f.Images = append(f.Images, image)
		return err
	})
}

// reader returns a function that reads a key of the image.
func (i *Image) reader(f *File) func(key string, at, value *yaml.Node) error {
	return func(key string, at, value *yaml.Node) (err error) {
		switch key {
		case extraKey:
			if i.Extras, err = f.values(key, List, value); err == nil {
				err = f.checkExtras(i.Extras, at.Line)
			}
		case postscriptsKey:
			var values []string
			if values, err = f.values(key, Text, value); err == nil {
				i.Node = values[0]
			}
		default:
			err = f.Error(at.Line, "unknown key %q of image %s; there are %s and %s", key, i.Pattern, extraKey, postscriptsKey)
		}
		return err
	}
}

// checkExtras refuses relative paths: the working directory of a mount in the background
// means nothing.
func (f *File) checkExtras(extras []string, line int) error {
	for _, extra := range extras {
		if !strings.HasPrefix(extra, "/") {
			return f.Error(line, "%s: %q does not begin with /; write FILE or FILE:DIRECTORY with the whole path", extraKey, extra)
		}
	}
	return nil
}
