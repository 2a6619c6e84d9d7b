// Package fs shows a site through FUSE: every image as a directory, as
// NAME.tgz, and, where something is wrong, as NAME.errors.
//
//	folder (root, @NODE) ─ image ─ member directory, member file
//	             │       └ bundle, checksum, errors
//	             └ status (.imgexportfs)
//
// A view is an image as seen from a node. Three things are known of it, each
// larger than the one before, and each only as long as it is needed:
//
//	summary  which files it has; what a listing shows     (brief.go)
//	version  what stat shows; nodes of files hold one     (version.go)
//	plan     members and bundle; in the budget, held by
//	         open files and requests, made again if need  (plan.go)
//
// Between a listing and the look at a bundle, what the listing has found is kept as an
// outline, of which the plan is made (outline.go).
//
// versions.go knows the present version of each view; look.go looks at the files
// again when that is older than the refresh interval, on goroutines for which
// requests wait no longer than their patience; trees.go shares the walked trees.
//
// A version never changes. When a row or a source changes, the next lookup finds
// another version with other inodes, so the kernel may keep what it has read for
// as long as it likes. Folders and images are the only nodes that live through
// versions. What tables and rules refuse has no bundle; what cannot be read at
// the moment keeps its name, and stat, open and read say the error (errno.go).
//
// Nothing in here knows how a bundle comes about or what imgexport's rules
// are.
package fs
