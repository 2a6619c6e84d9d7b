package fs

import (
	"sort"

	"imgexportfs/xcat"
)

// role is what a name in a folder stands for.
type role uint8

const (
	roleImage    role = iota + 1 // NAME: a directory
	roleBundle                   // NAME.tgz
	roleChecksum                 // NAME.tgz.sha256
	roleErrors                   // NAME.errors
)

const (
	bundleSuffix   = ".tgz"
	checksumSuffix = ".tgz.sha256"
	errorsSuffix   = ".errors"
)

// claim says who bears a name, and as what.
type claim struct {
	role  role
	offer *xcat.Offer
}

// directory is what the names in a folder stand for, made from one list of
// images.
type directory struct {
	offers []xcat.Offer
	claims map[string]claim
	// clashes are the images that get nothing but a line of why, by the
	// name of the .errors file that holds it.
	clashes map[string][]*xcat.Offer
}

func newDirectory(images []string) *directory {
	d := &directory{offers: xcat.Offers(images), clashes: map[string][]*xcat.Offer{}}
	d.claims = make(map[string]claim, 4*len(d.offers))
	for i := range d.offers {
		o := &d.offers[i]
		if o.Clash != nil {
			name := o.ErrorsName()
			d.clashes[name] = append(d.clashes[name], o)
			continue
		}
		d.claims[o.Name] = claim{roleImage, o}
		d.claims[o.Name+bundleSuffix] = claim{roleBundle, o}
		d.claims[o.Name+checksumSuffix] = claim{roleChecksum, o}
		d.claims[o.Name+errorsSuffix] = claim{roleErrors, o}
	}
	return d
}

// clashText is what there is to say of the images that only have a line in
// the .errors file of the given name.
func (d *directory) clashText(name string) string {
	var problems []xcat.Message
	for _, o := range d.clashes[name] {
		problems = append(problems, xcat.Message{Level: xcat.Error, Text: o.Clash.Error()})
	}
	return errorsText(problems)
}

// clashNames are the .errors files of images that get no other name, sorted.
func (d *directory) clashNames() []string {
	names := make([]string, 0, len(d.clashes))
	for name := range d.clashes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
