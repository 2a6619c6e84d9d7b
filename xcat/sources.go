package xcat

import (
	"maps"
	"slices"
	"strings"
)

// Source is a path that the rows of an image name.
type Source struct {
	Image string
	Path  string
	Whole bool // a directory, of which everything is exported
}

// Sources returns the paths that the rows of all images name, and the directories in
// which their other files are searched. Nothing is looked at.
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
		for _, dir := range c.searched(osimage, linuximage) {
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

// searched returns the directories in which files of an image may be found that its
// rows do not name.
func (c *Catalog) searched(osimage, linuximage Row) (dirs []string) {
	below := func(base, rest string) {
		for _, release := range releaseDirs(osimage["osvers"]) {
			dirs = append(dirs, base+"/"+release+rest)
		}
	}
	kind, column, method := "netboot", "pkglist", osimage["provmethod"]
	if method == "install" {
		kind, column = "install", "template"
	}
	if !isSet(linuximage[column]) {
		for _, base := range c.profileDirs(kind) {
			below(base, "")
		}
	}
	switch {
	case method == "install":
	case strings.Contains(osimage["osarch"], s390x):
		dirs = append(dirs, c.rawImageDir(osimage))
	case !isSet(linuximage["rootimgdir"]):
		below(c.installDir()+"/netboot", "/"+osimage["osarch"]+"/"+osimage["profile"])
	}
	return dirs
}
