// Package source is what an export may know of a host: the files below the
// root of a site, the state they are in, and whether they still are in it.
//
//	Root ─ Stat ─ File ─ Handle   one file, in the state in which it was planned
//	  └─── Walk ─ Node            a tree of files
//
// No path leaves the root, nothing but regular files is opened, and what is
// read of a file counts only if the file is then in the state in which it was
// planned; otherwise the error is ErrChanged.
//
// Nothing in here knows of archives, images or databases.
package source
