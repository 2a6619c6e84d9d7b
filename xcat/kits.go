package xcat

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"imgexportfs/bundle"
	"imgexportfs/tablesdump"
)

// findKits finds the kits whose components osimage.kitcomponents names, and writes all
// their rows into the manifest (docs/rules.md, section 2). Like imgexport it stops at the first
// kit that is missing.
func (x *exporter) findKits() bool {
	if !isSet(x.osimage["kitcomponents"]) {
		return true
	}
	names := map[string]bool{}
	for _, comp := range splitList(x.osimage["kitcomponents"], ",") {
		component, _ := x.catalog.kitOf.one(comp)
		if component["kitname"] == "" {
			x.refuse("Cannot find kitname of '" + comp + "' from the kitcomponent table.")
			return false
		}
		names[component["kitname"]] = true
	}
	found := map[string]Row{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		kit, known := x.catalog.kit.one(name)
		if !known {
			x.refuse("Cannot find kit '" + name + "' from the kit table.")
			return false
		}
		found[kit["kitname"]] = kit // two names may be equal to the database
	}
	var repos, comps []Row
	for _, name := range slices.Sorted(maps.Keys(found)) {
		x.kits = append(x.kits, found[name])
		repos = append(repos, x.catalog.repos.all(name)...)
		comps = append(comps, x.catalog.comps.all(name)...)
	}
	x.addRows("kit", "kitname", x.kits)
	x.addRows("kitrepo", "kitreponame", repos)
	x.addRows("kitcomp", "kitcompname", comps)
	return true
}

// addRows writes rows into the manifest, sorted by their key. XML::Simple does not read a
// single element as a list, and imgimport then fails halfway. So a single element gets a
// stub of the same name before it.
func (x *exporter) addRows(element, key string, rows []Row) {
	rows = slices.SortedStableFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a[key], b[key]) })
	if len(rows) == 1 {
		x.elements = append(x.elements, tablesdump.Group(element, tablesdump.Value("name", rows[0][key])))
	}
	for _, row := range rows {
		fields := append(rowElements(row), tablesdump.Value("name", row[key]))
		x.elements = append(x.elements, tablesdump.Group(element, fields...))
	}
}

// copyKits lists the directories of the kits, each under the kit's name, where
// imgimport looks for it.
func (x *exporter) copyKits() {
	for _, kit := range x.kits {
		if isSet(kit["kitdir"]) {
			x.copyKit(kit["kitname"], kit["kitdir"])
		}
	}
}

func (x *exporter) copyKit(name, dir string) {
	x.data(dir)
	if name != path.Base(name) || name == "." || name == ".." || name == "/" {
		x.refuse(fmt.Sprintf("The kit %s of %s cannot be exported: no directory can have its name", name, x.name))
		return
	}
	st, err := x.stat(dir)
	switch {
	case accessOf(err) == absent:
		x.skipMissing(dir)
		return
	case err != nil:
		x.skipUnreadable(dir, err)
		return
	case !st.IsDir():
		x.skipUnreadable(dir, errors.New("it is a "+st.TypeName()+" and not the kit's directory"))
		return
	}
	// The directory belongs to the kit alone, so its claim is for a path with the name.
	if !x.claim(strings.TrimRight(path.Dir(path.Clean(dir)), "/")+"/"+name, st) {
		return
	}
	if base := path.Base(path.Clean(dir)); base != name {
		x.warn(fmt.Sprintf("The directory %s of the kit %s of %s is not named as the kit: imgimport will restore it as %s, while kit.kitdir and kitrepo.kitrepodir go on naming %s; correct the two after imgimport",
			dir, name, x.req.Image, path.Join(path.Dir(path.Clean(dir)), name), dir))
	}
	x.add(bundle.NewDirectory(name, st.Perm()&permMask, st.ModTime()))
	tree := &treeCopy{x: x}
	tree.below(dir, name)
	x.addTree(tree.list)
}
