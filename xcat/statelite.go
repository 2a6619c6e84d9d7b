package xcat

import (
	"fmt"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
	"imgexportfs/tablesdump"
)

// treeDir is the root image's tree below linuximage.rootimgdir.
const treeDir = "rootimg"

// findStatelite finds the files of a statelite image: package list, kernel,
// initial ramdisk, and the tree that nodes mount as their root.
// Of an image of VMware ESX imgexport takes only the tree.
func (x *exporter) findStatelite() {
	if !x.isESX() {
		x.findStateliteBoot()
	}
	if x.result.Refused {
		return
	}
	dir := x.linuximage["rootimgdir"]
	if !isSet(dir) {
		x.refuse("Couldn't locate the root image directory. ")
		return
	}
	if st, found := x.look(dir + "/" + treeDir); !found || !st.IsDir() {
		x.refuse(fmt.Sprintf("There is no root image tree %s/%s for %s; make it with genimage", dir, treeDir, x.req.Image))
		return
	}
	x.checkRootDir(dir)
	x.elements = append(x.elements,
		tablesdump.Value("litefile", dir+"/"+litefileName),
		tablesdump.Value("rootimgtree", dir+"/"+treeName))
}

// findStateliteBoot finds what a statelite image boots from.
func (x *exporter) findStateliteBoot() {
	x.findPkglist()
	find := x.finder()
	kernel, ramdisk := find("kernel"), find("initrd-statelite.gz")
	if kernel == "" {
		x.refuse("Couldn't find kernel (kernel) for  " + x.req.Image)
	}
	if ramdisk == "" {
		x.refuse("Couldn't find ramdisk (initrd-statelite.gz) for  " + x.req.Image)
	}
	x.needBoot(bootFile{"kernel", kernel}, bootFile{"ramdisk", ramdisk})
}

// packStatelite lists the tree as rootimgtree.gz, and the image's settings in
// the table litefile.
func (x *exporter) packStatelite() {
	x.data("Packing root image. It will take a while")
	if !x.req.Shallow {
		dir := x.linuximage["rootimgdir"]
		tree, sentences, err := x.tree(dir)
		for _, s := range sentences {
			x.warn(s)
		}
		switch err = x.noteListed(dir+"/"+treeDir, err); accessOf(err) {
		case readable:
			x.addGenerated(treeName, tree)
		case absent, barred:
			x.result.TreeRefused = true
			x.refuse(fmt.Sprintf("Couldn't pack the root image tree %s/%s of %s: %v", dir, treeDir, x.req.Image, err))
		}
	}
	x.data("Getting litefile settings")
	x.checkLiteName()
	x.addGenerated(litefileName, bundle.Bytes(tablesdump.LiteFileCSV(x.name, x.liteRows())))
}

// tree returns the tree below dir, from the request's own function if it has one.
func (x *exporter) tree(dir string) (*bundle.Tree, source.Findings, error) {
	if x.req.Tree != nil {
		return x.req.Tree(x.ctx, dir, treeDir)
	}
	return bundle.NewTree(x.ctx, x.root, dir, treeDir)
}

// liteRows returns the rows of the table litefile that apply to the image: those of its
// groups, or those of all images if it has no groups, and then its own (docs/rules.md,
// section 7). imgexport takes a list of groups for the name of one group, and looks for
// rows of the image's name with underscores.
func (x *exporter) liteRows() []tablesdump.LiteRow {
	owners := []string{"ALL"}
	if groups := x.osimage["groups"]; isSet(groups) {
		owners = splitList(groups, ",")
	}
	var rows []tablesdump.LiteRow
	for _, owner := range append(owners, x.req.Image) {
		for _, row := range x.catalog.litefiles.all(owner) {
			if !isSet(row["file"]) {
				continue
			}
			x.checkLiteRow(row)
			options := row["options"]
			if !isSet(options) {
				options = ""
			}
			rows = append(rows, tablesdump.LiteRow{File: row["file"], Options: options})
		}
	}
	return rows
}
