package fs

import (
	"context"
	"slices"
	"time"

	"imgexportfs/xcat"
)

// rows is one state of the tables.
type rows struct {
	catalog *xcat.Catalog
	names   *nameTable
	serial  uint64    // grows with each state
	seen    time.Time // they were the present ones then
}

// look returns the present rows.
func (vs *versions) look(ctx context.Context) (rows, error) {
	for {
		catalog, err := vs.site.Catalog(ctx)
		if err != nil {
			return rows{}, err
		}
		if r, ok := vs.takeUp(catalog); ok {
			return r, nil
		}
	}
}

// takeUp makes the catalog the present one. It reports false if there are newer
// rows by now, which it must not replace.
func (vs *versions) takeUp(catalog *xcat.Catalog) (rows, bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	seen := vs.site.Seen(catalog)
	if seen.IsZero() {
		return rows{}, false
	}
	if catalog != vs.rows.catalog {
		old := vs.rows.names
		vs.rows = rows{catalog: catalog, names: newNameTable(catalog.Images()), serial: vs.rows.serial + 1}
		vs.forgetGone()
		vs.warmer.add(vs.rows.names.news(old))
	}
	vs.rows.seen = seen
	return vs.rows, true
}

// hasTree reports whether an image's brief export lacks something.
func (r rows) hasTree(image string) bool {
	row, _ := r.catalog.OSImage(image)
	return row["provmethod"] == "statelite"
}

// role is what a name in a folder stands for.
type role uint8

const (
	roleImage    role = iota + 1 // NAME: a directory
	roleBundle                   // NAME.tgz
	roleChecksum                 // NAME.tgz.sha256
	roleErrors                   // NAME.errors
	roleMember                   // a file in NAME
	roleFolder                   // @NODE
	roleStatus                   // .imgexportfs and the files in it
)

// owner says which image has a name, and what the name is of it.
type owner struct {
	role  role
	offer *xcat.Offer
}

// nameTable is what the names in a folder stand for, made from one list of
// images.
type nameTable struct {
	offers []xcat.Offer
	owners map[string]owner
	// clashes are the images that get nothing but a line that says why, by
	// the name of the .errors file that holds it.
	clashes map[string][]*xcat.Offer
}

func newNameTable(images []string) *nameTable {
	t := &nameTable{offers: xcat.Offers(images), clashes: map[string][]*xcat.Offer{}}
	t.owners = make(map[string]owner, 4*len(t.offers))
	for i := range t.offers {
		o := &t.offers[i]
		if o.Clash != nil {
			name := o.ErrorsName()
			t.clashes[name] = append(t.clashes[name], o)
			continue
		}
		t.owners[o.Name] = owner{roleImage, o}
		t.owners[o.Name+xcat.BundleSuffix] = owner{roleBundle, o}
		t.owners[o.Name+xcat.ChecksumSuffix] = owner{roleChecksum, o}
		t.owners[o.Name+xcat.ErrorsSuffix] = owner{roleErrors, o}
	}
	return t
}

// clashText says why images only have a line in the .errors file of the given
// name.
func (t *nameTable) clashText(name string) string {
	var problems []xcat.Message
	for _, o := range t.clashes[name] {
		problems = append(problems, xcat.Message{Level: xcat.Error, Text: o.Clash.Error()})
	}
	return errorsText(problems)
}

// clashNames are the .errors files of images that get no other name, sorted.
func (t *nameTable) clashNames() []string {
	names := make([]string, 0, len(t.clashes))
	for name := range t.clashes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// news are the images that have names in t and had none in the table before,
// which is nil at first.
func (t *nameTable) news(before *nameTable) []view {
	var list []view
	for i := range t.offers {
		o := &t.offers[i]
		known := false
		if before != nil {
			_, known = before.owners[o.Name]
		}
		if o.Clash == nil && !known {
			list = append(list, view{image: o.Image})
		}
	}
	return list
}
