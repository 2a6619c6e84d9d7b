package xcat

import (
	"errors"
	"fmt"

	"imgexportfs/bundle"
	"imgexportfs/tablesdump"
)

// manifest writes manifest.xml, unless the image is refused.
func (x *exporter) manifest() bundle.Bytes {
	if x.result.Refused {
		return nil
	}
	linuximage := Row{}
	for _, row := range []Row{x.linuximage, x.searched} {
		for column, value := range row {
			linuximage[column] = value
		}
	}
	elements := append(x.elements,
		tablesdump.Group("osimage", rowElements(x.osimage)...),
		tablesdump.Group("linuximage", rowElements(linuximage)...))
	root := tablesdump.Group("xcatimage", elements...)
	for _, path := range tablesdump.Blank(root) {
		x.warn(fmt.Sprintf("%s of %s is left out: it holds nothing but white space, and imgimport would store HASH(0x...) for it", originOf(path), x.req.Image))
	}
	text, err := tablesdump.XML(root)
	var bad *tablesdump.BadByteError
	if errors.As(err, &bad) {
		x.refuse(fmt.Sprintf("%s of %s: byte 0x%02x at offset %d of the value cannot be in a manifest, and imgimport would reject all of it; correct the value",
			originOf(bad.Path), x.req.Image, bad.Byte, bad.Offset))
		return nil
	}
	return text
}

// rowElements returns the columns of a row as elements, in any order.
func rowElements(row Row) []tablesdump.Element {
	elements := make([]tablesdump.Element, 0, len(row)+1)
	for column, value := range row {
		elements = append(elements, tablesdump.Value(column, value))
	}
	return elements
}

// originOf says where the value of an element comes from.
func originOf(path []string) string {
	switch element := path[0]; element {
	case "osimage", "linuximage", "kit", "kitrepo":
		return "Table " + element + ", column " + path[len(path)-1]
	case "kitcomp":
		return "Table kitcomponent, column " + path[len(path)-1]
	case "postscripts", "postbootscripts":
		return "Table postscripts, column " + element
	case extraName:
		return "Extra file"
	default:
		return "Path of " + element + " (table linuximage, column rootimgdir, or table osimage, column profile)"
	}
}
