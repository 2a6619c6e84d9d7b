package xcat

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle/source"
)

// access says what an error of a file means for an export. Every error of a look, an
// open, a listing, a link and the walk of a tree goes through accessOf.
type access uint8

const (
	readable access = iota // no error
	absent                 // there is no such file, and the rules say what follows
	barred                 // the file is there and cannot be exported: it is refused or skipped
	passing                // the file may be readable later; nothing is known of it now
)

// accessOf returns what err means. Of an error number that is not listed here it says that
// it may pass. To keep the name of a bundle that cannot be made does no harm; to drop the
// name of a bundle that can be made lets a mirror delete its copy.
func accessOf(err error) access {
	if err == nil {
		return readable
	}
	_, isNumber := errors.AsType[unix.Errno](err)
	timeout, isTimeout := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	switch {
	case isAny(err, source.ErrChanged, context.Canceled):
		return passing
	case isAny(err, fs.ErrNotExist, unix.ENOTDIR, unix.ELOOP, unix.ENAMETOOLONG, unix.EINVAL):
		return absent
	case errors.Is(err, fs.ErrPermission) || !isNumber && (!isTimeout || !timeout.Timeout()):
		return barred
	}
	return passing
}

// isAny reports whether err is one of errs.
func isAny(err error, errs ...error) bool {
	return slices.ContainsFunc(errs, func(e error) bool { return errors.Is(err, e) })
}

// note stores the error of a file if it may pass, and then the export says and lists
// nothing more. A refusal comes from what is known for certain, so after a refusal no
// error is stored.
func (x *exporter) note(file string, err error) {
	if accessOf(err) != passing || x.hasStopped() {
		return
	}
	if e, ok := err.(*fs.PathError); ok && e.Path == file {
		err = e.Err
	}
	x.result.Unreadable = fmt.Errorf("image %s: %s cannot be read at the moment: %w", x.req.Image, file, err)
}

// hasStopped reports whether it is decided that there is no bundle now.
func (x *exporter) hasStopped() bool { return x.result.Refused || x.result.Unreadable != nil }

// stat describes what a path leads to, links followed, in the state in which this
// export first saw it. The empty path leads nowhere.
func (x *exporter) stat(p string) (source.Stat, error) {
	if p == "" {
		return source.Stat{}, fs.ErrNotExist
	}
	if st, seen := x.seen[p]; seen {
		return st, nil
	}
	if x.result.Unreadable != nil {
		return source.Stat{}, x.result.Unreadable // the next look might take as long as the one that failed
	}
	st, err := x.root.Stat(p)
	if err == nil {
		x.seen[p] = st
	}
	x.note(p, err)
	return st, err
}

// look describes what a path leads to, if there is anything. If that is not allowed the
// image is refused, because the search must not go on and find another file.
func (x *exporter) look(p string) (source.Stat, bool) {
	st, err := x.stat(p)
	if accessOf(err) == barred {
		advice := ""
		if errors.Is(err, fs.ErrPermission) {
			advice = " Run this as root, as imgexport."
		}
		x.refuse(fmt.Sprintf("Couldn't look at %s for %s: %s.%s", p, x.req.Image, reason(err), advice))
	}
	return st, err == nil
}

// exists reports whether there is anything under the path, links followed. Whether this
// process may read it does not matter here: imgexport runs as root, and the content of a
// bundle must not depend on the user.
func (x *exporter) exists(p string) bool {
	_, found := x.look(p)
	return found
}

// isFile reports whether there is a regular file under the path, links followed.
func (x *exporter) isFile(p string) bool {
	st, found := x.look(p)
	return found && st.IsRegular()
}

// noteListed is note for a file that has just been seen, or that the listing of its
// directory names: if it is not there, or is of another type, it has changed.
func (x *exporter) noteListed(file string, err error) error {
	if isAny(err, fs.ErrNotExist, unix.ENOTDIR, unix.EINVAL, source.ErrNotRegular) {
		err = fmt.Errorf("%w: %w", err, source.ErrChanged)
	}
	x.note(file, err)
	return err
}

// reason returns an error's text without the path, which stands before it.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
