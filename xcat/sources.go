package xcat

import (
	"maps"
	"slices"
)

// Source is a path that the rows of an image name.
type Source struct {
	Image string
	Path  string
	Whole bool // a directory, of which everything is exported
}

// Sources returns the paths that the rows name, of all images. Files that a search finds
// are not among them.
func (c *Catalog) Sources() []Source {
	var list []Source
	for _, image := range c.images {
		add := func(path string, whole bool) {
			if isSet(path) {
				list = append(list, Source{image, path, whole})
			}
		}
		osimage, _ := c.osimage.one(image)
		linuximage, _ := c.linuximage.one(image)
		for _, column := range listColumns {
			for _, path := range splitList(linuximage[column], ",") {
				add(path, false)
			}
		}
		for _, path := range splitList(osimage["synclists"], ",") {
			add(path, false)
		}
		if dir := linuximage["rootimgdir"]; isSet(dir) && osimage["provmethod"] == "statelite" {
			add(dir+"/"+treeDir, true)
		} else if isSet(dir) {
			add(dir+"/", false)
		}
		kits := map[string]bool{}
		for _, comp := range splitList(osimage["kitcomponents"], ",") {
			component, _ := c.kitOf.one(comp)
			kits[component["kitname"]] = true
		}
		for _, kit := range slices.Sorted(maps.Keys(kits)) {
			row, _ := c.kit.one(kit)
			add(row["kitdir"], true)
		}
	}
	return list
}
