package xcat

import (
	"fmt"
	"strings"

	"imgexportfs/tablesdump"
)

// findFiles finds the files that the provmethod needs.
func (x *exporter) findFiles() {
	method := x.osimage["provmethod"]
	switch {
	case method == "install":
		x.findInstall()
	case method == "statelite":
		x.findStatelite()
	case method == "netboot" && x.isESX():
		// imgexport exports no files of VMware ESX.
	case x.isS390X():
		x.findRawImages()
	case method == "netboot":
		x.findNetboot()
	}
}

// bootFile is a file without which an image does not boot.
type bootFile struct{ element, path string }

// needBoot notes files without which the bundle is useless. A file without a path has
// not been found.
func (x *exporter) needBoot(files ...bootFile) {
	for _, f := range files {
		if f.path == "" {
			continue
		}
		if strings.Contains(f.path, ",") {
			x.refuse(fmt.Sprintf("The path of the %s of %s, %s, holds a comma, at which imgimport would split it; move the image to a directory without one", f.element, x.req.Image, f.path))
		}
		x.boot = append(x.boot, f)
		x.elements = append(x.elements, tablesdump.Value(f.element, f.path))
	}
}

// findInstall finds what an image needs that is installed from media: the
// template. A site that imports it must have the media.
func (x *exporter) findInstall() {
	x.elements = append(x.elements, tablesdump.Value("media", "required"))
	if isSet(x.linuximage["template"]) {
		return
	}
	template := x.searchProfile("install", "tmpl")
	if template == "" {
		x.refuse("Couldn't find install template for " + x.req.Image)
		return
	}
	x.data(template)
	x.setSearched("template", template)
}

// The packed root images that imgexport knows, in the order in which it looks
// for them: in the directory that linuximage.rootimgdir names, and where
// genimage puts images by itself.
var (
	packedInDir    = []string{"rootimg.cpio.gz", "rootimg.cpio.xz", "rootimg.tar.gz", "rootimg.tar.xz", "rootimg.sfs", "rootimg.gz"}
	packedBySearch = []string{"rootimg.cpio.xz", "rootimg.cpio.gz", "rootimg.tar.xz", "rootimg.tar.gz", "rootimg.gz"}
)

// findNetboot finds the files of a stateless image: package list, initial
// ramdisk, kernel, and the packed root image.
func (x *exporter) findNetboot() {
	x.findPkglist()
	ramdisk, kernel, rootimg := x.findPacked()
	if ramdisk == "" {
		x.refuse("Couldn't find ramdisk (initrd-stateless.gz) for  " + x.req.Image)
	}
	if kernel == "" {
		x.refuse("Couldn't find kernel (kernel) for  " + x.req.Image)
	}
	// imgexport does not check for the root image if linuximage.rootimgdir is
	// set, and its bundle would be without one.
	inDir := isSet(x.linuximage["rootimgdir"])
	if rootimg == "" && (!inDir || ramdisk != "" && kernel != "") {
		x.refuse("Couldn't find compressed rootimg for " + x.req.Image)
	}
	x.needBoot(bootFile{"kernel", kernel}, bootFile{"ramdisk", ramdisk}, bootFile{"rootimg", rootimg})
}

func (x *exporter) findPacked() (ramdisk, kernel, rootimg string) {
	find, packed := x.finder(), packedBySearch
	if isSet(x.linuximage["rootimgdir"]) {
		packed = packedInDir
	}
	ramdisk, kernel = find("initrd-stateless.gz"), find("kernel")
	for _, name := range packed {
		if rootimg == "" {
			rootimg = find(name)
		}
	}
	return ramdisk, kernel, rootimg
}

// finder returns a function that returns the path of a file of the image, or
// "" if it is not there.
func (x *exporter) finder() func(name string) string {
	dir, exists := x.linuximage["rootimgdir"], x.isFile
	if !isSet(dir) {
		dir, exists = x.netbootDir(), x.exists
	}
	return func(name string) string {
		if file := dir + "/" + name; exists(file) {
			return file
		}
		return ""
	}
}

// findPkglist searches for the package list if the table does not name one.
func (x *exporter) findPkglist() {
	if isSet(x.linuximage["pkglist"]) {
		return
	}
	if pkglist := x.searchProfile("netboot", "pkglist"); pkglist != "" {
		x.setSearched("pkglist", pkglist)
	} else {
		x.refuse("Couldn't find pkglist file for " + x.req.Image)
	}
}

// findRawImages finds the disk images of an image for s390x: all regular
// files *.img of a directory, links followed. imgexport takes them in the
// order in which the file system has them; here links come first, then files,
// each in byte order, so that the manifest does not depend on a file system.
func (x *exporter) findRawImages() {
	dir := x.catalog.rawImageDir(x.osimage)
	links, files := x.listRawImages(dir)
	x.rawImages = append(links, files...)
	if len(x.rawImages) == 0 {
		x.refuse(fmt.Sprintf("There is no image file *.img for %s in %s; imgimport refuses a bundle without one", x.req.Image, dir))
		return
	}
	var elements []tablesdump.Element
	for _, file := range x.rawImages {
		elements = append(elements, tablesdump.Value("files", file))
	}
	x.elements = append(x.elements, tablesdump.Group("rawimagefiles", elements...))
}

// rawImageDir is the directory of the disk images of an image for s390x.
func (c *Catalog) rawImageDir(osimage Row) string {
	return strings.Join([]string{c.installDir(), osimage["provmethod"], osimage["osvers"], s390x, osimage["profile"]}, "/")
}

// listRawImages lists the disk images in a directory.
func (x *exporter) listRawImages(dir string) (links, files []string) {
	names, err := x.root.ReadDir(dir)
	x.note(dir, err)
	if err != nil {
		x.refuse("Could not open image files in directory " + dir)
	}
	for _, name := range names {
		file := dir + "/" + name
		if !strings.HasSuffix(name, ".img") {
			continue
		}
		switch st, err := x.root.Lstat(file); {
		case x.noteListed(file, err) != nil:
		case st.IsRegular():
			x.seen[file] = st
			files = append(files, file)
		case st.IsSymlink() && x.isFile(file):
			links = append(links, file)
		}
	}
	return links, files
}

// copyRawImages lists the disk images. Like imgexport it says nothing about them.
func (x *exporter) copyRawImages() {
	for _, file := range x.rawImages {
		x.copyNeeded(file, "image file")
	}
}
