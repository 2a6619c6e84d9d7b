package xcat

import (
	"fmt"
	"strings"

	"imgexportfs/tablesdump"
)

// findRawImages finds the disk images of an image for s390x: all regular
// files *.img of a directory, links followed. imgexport takes them in the
// order in which the file system has them; here links come first, then files,
// each in byte order, so that the manifest does not depend on a file system.
func (x *exporter) findRawImages(method string) {
	dir := strings.Join([]string{x.catalog.installDir(), method, x.osimage["osvers"], s390x, x.osimage["profile"]}, "/")
	names, err := x.root.ReadDir(dir)
	if err != nil {
		x.refuse("Could not open image files in directory " + dir)
	}
	var links, files []string
	for _, name := range names {
		file := dir + "/" + name
		if !strings.HasSuffix(name, ".img") || !x.isFile(file) {
			continue
		}
		if st, err := x.root.Lstat(file); err == nil && st.IsSymlink() {
			links = append(links, file)
		} else {
			files = append(files, file)
		}
	}
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

// copyRawImages lists the disk images, without a word, as imgexport.
func (x *exporter) copyRawImages() {
	for _, file := range x.rawImages {
		x.copyNeeded(file, "image file")
	}
}
