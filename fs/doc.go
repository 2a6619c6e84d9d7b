// Package fs shows a site through FUSE: every image as a directory, as
// NAME.tgz, and, where something is wrong, as NAME.errors.
//
// A lookup asks the gallery for the present version of an image. A version is
// one state of rows and files: its export, its bundle, and inode numbers of
// its own. Nodes of files hold their version and never change; when a row or
// a source changes, the next lookup finds another version with other inodes,
// so the kernel may keep what it has read for as long as it likes. Directories
// that list images are the only nodes that live through versions.
//
//	folder (root, @NODE) ─ image ─ member directory, member file
//	             │       └ bundle, checksum, errors
//	             └ status (.imgexportfs)
//
// Nothing in here knows how a bundle comes about or what imgexport's rules
// are.
package fs
