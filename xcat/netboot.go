package xcat

import (
	"fmt"
	"strings"

	"imgexportfs/tablesdump"
)

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
	// In a directory of its own imgexport takes the root image for found;
	// the bundle would be without one.
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

// findPkglist searches for the package list that the table leaves open.
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

// needBoot notes files that the bundle is useless without. Those without a
// path have not been found.
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
