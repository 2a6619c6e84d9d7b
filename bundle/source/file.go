package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// ErrChanged reports that a file is not in the state in which it was planned.
// What was read of it must not be used.
var ErrChanged = errors.New("changed since the bundle was planned")

// File is a regular file in one state. It is safe for use by several
// goroutines.
type File struct {
	root     *Root
	path     string
	identity Identity
	walked   bool   // a walk has found it
	holes    *holes // nil if none are looked for
}

// NewFile returns the regular file that path leads to and st describes.
func NewFile(root *Root, path string, st Stat) (*File, error) {
	if !st.IsRegular() {
		return nil, fmt.Errorf("%s is a %s: %w", path, st.TypeName(), ErrNotRegular)
	}
	f := &File{root: root, path: path, identity: st.Identity}
	if st.Blocks*512 < st.Size {
		f.holes = &holes{}
	}
	return f, nil
}

// NodeFile returns the regular file that a walk has found at path. It has
// changed if a symbolic link is there now.
func NodeFile(root *Root, path string, id Identity) File {
	return File{root: root, path: path, identity: id, walked: true}
}

// Size is the planned size in bytes.
func (f *File) Size() int64 { return f.identity.Size }

// Path is the file's path as the site spells it.
func (f *File) Path() string { return f.path }

// Identity is the planned state.
func (f *File) Identity() Identity { return f.identity }

// ReadAt fills p from off. It opens the file for that, and looks at its state
// afterwards: if that is still the planned one, the file has not changed
// before or while it was read. off+len(p) must not exceed Size.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > f.Size() || int64(len(p)) > f.Size()-off {
		return 0, fmt.Errorf("%s: %w", f.path, io.ErrUnexpectedEOF)
	}
	defer f.root.calls.begin(f.path)()
	fd, err := f.open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	err = f.fill(fd, p, off)
	// What cannot be read may be something else by now.
	if changed := f.check(fd); err == nil || errors.Is(changed, ErrChanged) {
		err = changed
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// open returns a descriptor of the file, whatever state it is in: what is read
// from it counts only if check holds afterwards.
func (f *File) open() (int, error) {
	open := f.root.openRegular
	if f.walked {
		open = f.root.openWalked
	}
	fd, err := open(f.path)
	return fd, changedIfGone(err)
}

// changedIfGone adds ErrChanged to an error that says that a file which was
// there is gone or has been replaced. After any other error the file may still
// be what it was.
func changedIfGone(err error) error {
	for _, gone := range []error{fs.ErrNotExist, ErrNotRegular, unix.ELOOP, unix.ENOTDIR, unix.ESTALE} {
		if errors.Is(err, gone) {
			return fmt.Errorf("%w: %w", err, ErrChanged)
		}
	}
	return err
}

// check returns ErrChanged unless the open file is in the planned state.
func (f *File) check(fd int) error {
	var raw unix.Stat_t
	if err := retried(func() error { return unix.Fstat(fd, &raw) }); err != nil {
		return &fs.PathError{Op: "stat", Path: f.path, Err: err}
	}
	if statOf(&raw).Identity != f.identity {
		return fmt.Errorf("%s: %w", f.path, ErrChanged)
	}
	return nil
}

// fill reads all of p; a file that ends before that has changed.
func (f *File) fill(fd int, p []byte, off int64) error {
	f.identity.settle()
	for len(p) > 0 {
		n, err := unix.Pread(fd, p, off)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return &fs.PathError{Op: "read", Path: f.path, Err: err}
		case n == 0:
			return fmt.Errorf("%s: %w", f.path, ErrChanged)
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}
