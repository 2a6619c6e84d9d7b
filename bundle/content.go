package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// ErrChanged reports that a source is not in the state that the bundle was
// planned from. What was read of it must not be used.
var ErrChanged = errors.New("changed since the bundle was planned")

// Content is the bytes of a regular member. There are three: Bytes, which
// are made in memory; *File, which is one source file; and *Tree, which is a
// whole directory as a compressed cpio archive.
type Content interface {
	// Size is the exact number of bytes.
	Size() int64
	// ReadAt fills all of p from off or returns an error; a source that
	// changed is ErrChanged. off+len(p) must not exceed Size.
	ReadAt(p []byte, off int64) (int, error)
	// chunk returns where the chunk that starts at off ends; large contents
	// are cut there.
	chunk(off int64) (end int64)
	// stampPlan hashes what every host knows of the bytes without reading.
	stampPlan(s *stamper)
	// stampRange hashes what decides the bytes from off to end: two ranges
	// with one stamp hold the same bytes.
	stampRange(s *stamper, off, end int64)
}

// Bytes is content made in memory, such as a manifest.
type Bytes []byte

// Size is the number of bytes.
func (b Bytes) Size() int64 { return int64(len(b)) }

// ReadAt copies from memory.
func (b Bytes) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(b)) || int64(len(p)) > int64(len(b))-off {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(p, b[off:]), nil
}

func (b Bytes) chunk(off int64) int64 { return chunkEnd(off, b.Size()) }

func (b Bytes) stampPlan(s *stamper) { s.bytes(b) }

func (b Bytes) stampRange(s *stamper, off, end int64) { s.bytes(b[off:end]) }

// File is the content of one source file, in the state it was planned in.
type File struct {
	opener   opener
	path     string
	identity Identity
	nofollow bool   // path itself must not have become a symbolic link
	holes    *holes // nil if the file has none
}

// NewFile returns the content of the regular file path, which st describes.
func NewFile(root *Root, path string, st Stat) (*File, error) {
	if !st.IsRegular() {
		return nil, fmt.Errorf("%s is a %s: %w", path, st.TypeName(), ErrNotRegular)
	}
	f := &File{opener: root, path: path, identity: st.Identity}
	if st.Size >= largeMin && st.Blocks*512 < st.Size {
		f.holes = &holes{}
	}
	return f, nil
}

// Size is the planned size.
func (f *File) Size() int64 { return f.identity.Size }

func (f *File) chunk(off int64) int64 { return chunkEnd(off, f.Size()) }

// The member bears size and modification time of the file.
func (f *File) stampPlan(_ *stamper) {}

// A hole is the same in every file, so all of them are made once.
func (f *File) stampRange(s *stamper, off, end int64) {
	if f.holes.cover(f, off, end) {
		s.string("hole")
		s.int(end - off)
		return
	}
	s.string(f.path)
	s.identity(f.identity)
	s.int(off)
	s.int(end)
}

// Path is the source's path as the site spells it.
func (f *File) Path() string { return f.path }

// open opens the source, which nobody has checked yet: what is read of it
// counts only if check holds afterwards. It returns a descriptor.
func (f *File) open() (int, error) {
	flags := 0
	if f.nofollow {
		flags = unix.O_NOFOLLOW
	}
	fd, err := f.opener.openRegular(f.path, flags)
	// A source that is gone or replaced by something else has changed; other
	// errors are the reader's business.
	for _, gone := range []error{fs.ErrNotExist, ErrNotRegular, unix.ELOOP, unix.ENOTDIR, unix.ESTALE} {
		if errors.Is(err, gone) {
			return -1, fmt.Errorf("%w: %w", err, ErrChanged)
		}
	}
	return fd, err
}

// check reports as an error whether the source is what was planned.
func (f *File) check(fd int) error {
	var raw unix.Stat_t
	if err := unix.Fstat(fd, &raw); err != nil {
		return &fs.PathError{Op: "stat", Path: f.path, Err: err}
	}
	if statOf(&raw).Identity != f.identity {
		return fmt.Errorf("%s: %w", f.path, ErrChanged)
	}
	return nil
}

// ReadAt reads from the source, which is opened for the purpose, and looks at
// its identity afterwards: if that is still the planned one, the file has not
// changed before or while it was read.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > f.Size() || int64(len(p)) > f.Size()-off {
		return 0, fmt.Errorf("%s: %w", f.path, io.ErrUnexpectedEOF)
	}
	fd, err := f.open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := f.fill(fd, p, off); err != nil {
		return 0, err
	}
	return len(p), f.check(fd)
}

// fill reads all of p; a file that ends before that has changed.
func (f *File) fill(fd int, p []byte, off int64) error {
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
