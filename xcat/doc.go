// Package xcat knows what imgexport takes of an xCAT site.
//
// A Catalog is an immutable snapshot of the site's rows, which package db reads
// (catalog.go). From a catalog and the files on disk, Catalog.Export finds out what
// imgexport would put into the bundle of one image, and what it would say:
//
//	db: cfgloc ─ tables ─ Catalog ┐
//	                              ├ Export: members, messages
//	               source.Root ───┘
//
// Export works in imgexport's order (export.go), one file a step: the rows are
// checked (rows.go), kits looked up (kits.go), files searched (boot.go,
// statelite.go, with the rules of lookup.go), extras taken from the command line
// (extras.go), postscripts from the tables (postscripts.go, and package noderange
// for which node and which value); what imgimport could not take is told or refused
// (imports.go); then the manifest is written (manifest.go) and
// the files are listed as members (copy.go). No file is read except the small ones
// that are generated here: a member names its source, and package bundle reads it.
//
// The names that an image has in a directory are in names.go, and Perl's ways that
// are part of the rules in perl.go.
//
// The rules are imgexport's own, measured on it: docs/rules.md has them, and comments
// refer to its sections.
package xcat
