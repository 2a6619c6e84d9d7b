package xcat

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"imgexportfs/bundle/source"

	"golang.org/x/sys/unix"
)

// shareDir is where xCAT installs the files that come with it.
const shareDir = "/opt/xcat/share/xcat"

// searchProfile looks for the file of an image's profile with the given
// suffix, below the site's own directory of a kind and then below xCAT's
// (RULES.md, section 3). It returns "" if there is none.
func (x *exporter) searchProfile(kind, suffix string) string {
	profile, vers, arch := x.osimage["profile"], x.osimage["osvers"], x.osimage["osarch"]
	for _, base := range []string{x.catalog.installDir() + "/custom/" + kind, shareDir + "/" + kind} {
		dir := base + "/" + x.distro(base)
		for _, name := range []string{
			profile + "." + vers + "." + arch + "." + suffix,
			profile + "." + vers + "." + suffix,
			profile + "." + arch + "." + suffix,
			profile + "." + suffix,
		} {
			if file := dir + "/" + name; x.exists(file) {
				return file
			}
		}
	}
	return ""
}

// netbootDir returns the directory where genimage puts the images of the
// profile when the table does not say where.
func (x *exporter) netbootDir() string {
	base := x.catalog.installDir() + "/netboot"
	return base + "/" + x.distro(base) + "/" + x.osimage["osarch"] + "/" + x.osimage["profile"]
}

// distro returns the directory below base that is for the image's release:
// rhels9.2, or else rhels9., rhels9 and so on. It is "" if there is none, and
// imgexport then looks in base itself.
func (x *exporter) distro(base string) string {
	dir := x.osimage["osvers"]
	if strings.Contains(dir, "win") {
		dir = "windows"
	}
	for isSet(dir) && !x.exists(base+"/"+dir) {
		dir = dir[:len(dir)-1]
	}
	return dir
}

// exists reports whether there is anything under the path, links followed.
// Who may read it does not matter here: imgexport runs as root, and what a
// bundle holds must not depend on who makes it.
func (x *exporter) exists(p string) bool {
	_, found := x.look(p)
	return found
}

// isFile reports whether there is a regular file under the path, links
// followed.
func (x *exporter) isFile(p string) bool {
	st, found := x.look(p)
	return found && st.IsRegular()
}

// stat describes what a path leads to, links followed, in the state in which
// this export first saw it. No path leads nowhere.
func (x *exporter) stat(p string) (source.Stat, error) {
	if p == "" {
		return source.Stat{}, fs.ErrNotExist
	}
	if st, seen := x.seen[p]; seen {
		return st, nil
	}
	st, err := x.root.Stat(p)
	if err == nil {
		x.seen[p] = st
	}
	return st, err
}

// look describes what a path leads to. If that cannot be found out the image
// is refused: to take a file for missing would be to search on for another.
func (x *exporter) look(p string) (source.Stat, bool) {
	st, err := x.stat(p)
	if err == nil {
		return st, true
	}
	if !isAbsent(err) {
		x.refuse(fmt.Sprintf("Couldn't look at %s for %s: %s. Run this as root, as imgexport.", p, x.req.Image, reason(err)))
	}
	return source.Stat{}, false
}

// isAbsent reports whether an error says that there is nothing under a path,
// rather than that it cannot be told.
func isAbsent(err error) bool {
	for _, absent := range []error{fs.ErrNotExist, unix.ENOTDIR, unix.ELOOP, unix.ENAMETOOLONG, unix.EINVAL} {
		if errors.Is(err, absent) {
			return true
		}
	}
	return false
}

// reason returns an error's text without the path, which stands before it.
func reason(err error) string {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}
