// Package xcat knows what an xCAT site is and what imgexport takes of it.
//
// A Site is a database and the directory that its paths count from. Its rows
// are read as a whole into a Catalog, an immutable snapshot, and read again
// when the database has changed. From a snapshot and the files on disk,
// Catalog.Export finds out what imgexport would put into the bundle of one
// image, and what it would say:
//
//	cfgloc ─ Spec ─ Backend ─ Tables ─ Catalog ┐
//	                                           ├ Export: members, messages
//	                            source.Root ───┘
//
// There is a Backend for each kind of database: files, one for each table
// (tablefiles.go), of SQLite (sqlite.go) and of dumps (csv.go); and servers
// (server.go), MySQL (mysql.go) and PostgreSQL (postgres.go). A Site looks for
// changes in the background (look.go), and goes on with the rows it has when the
// database is lost (status.go).
//
// Export works in imgexport's order, one file a step: the rows are checked,
// kits looked up (kits.go), files searched (install.go, netboot.go,
// statelite.go, rawimages.go, with the rules of lookup.go), extras taken from
// the command line (extras.go), postscripts from the tables (postscripts.go);
// then the manifest is written (manifest.go) and the files are listed as
// members (copy.go). No file is read but the small ones that are made here:
// a member names its source, and package bundle reads it.
//
// The rules are imgexport's own, measured on it. Where a comment refers to
// "RULES.md, section N", that is the file with the conformance data,
// integration/testdata/conformance/RULES.md.
package xcat
