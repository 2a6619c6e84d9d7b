package xcat

import (
	"slices"
	"strings"
)

// provmethods are the provmethods that imgexport knows. imgexport accepts any word that
// contains one of these, and makes a bundle that imgimport cannot use; here the word must
// be one of them.
var provmethods = []string{"install", "netboot", "statelite", "raw", "sysclone"}

// s390x is the architecture whose images are disk images.
const s390x = "s390x"

// checkRows looks up the rows of the image and refuses those that imgexport
// does not export (docs/rules.md, section 2).
func (x *exporter) checkRows() bool {
	image := "'" + x.req.Image + "'"
	var found bool
	if x.osimage, found = x.catalog.osimage.one(x.req.Image); !found {
		x.refuse("Cannot find image " + image + " from the osimage table.")
		return false
	}
	for _, column := range []string{"provmethod", "profile", "osvers", "osarch"} {
		if !isSet(x.osimage[column]) {
			x.refuse("The '" + column + "' field is not set for " + image + " in the osimage table.")
		}
	}
	method, arch := x.osimage["provmethod"], x.osimage["osarch"]
	if !slices.Contains(provmethods, method) {
		x.refuse("Exporting images with 'provemethod' " + method + " is not supported. Hint: install, netboot, statelite, or raw")
	}
	if method == "sysclone" && !x.isS390X() {
		x.refuse("Exporting images with 'provemethod' " + method + " is not supported for osarch '" + arch + "'")
	}
	if x.result.Refused {
		return false
	}
	if x.linuximage, found = x.catalog.linuximage.one(x.req.Image); !found {
		x.refuse("Cannot find image " + image + " from the linuximage table.")
	}
	return found
}

// isS390X reports whether the image is for s390x. Like imgexport it takes any architecture
// that contains the word.
func (x *exporter) isS390X() bool { return strings.Contains(x.osimage["osarch"], s390x) }

func (x *exporter) isESX() bool { return strings.Contains(x.osimage["osvers"], "esx") }

// setSearched notes the file that a search has found for a column of linuximage that is
// not set. The manifest and the copy then treat it like a value of the table.
func (x *exporter) setSearched(column, file string) {
	if x.searched == nil {
		x.searched = Row{}
	}
	x.searched[column] = file
}

// linux returns a column of linuximage, or what a search has found for it.
func (x *exporter) linux(column string) string {
	if file, found := x.searched[column]; found {
		return file
	}
	return x.linuximage[column]
}
