package bundle

import (
	"io"

	"golang.org/x/sys/unix"
)

// Source is an open source file that is read as long as it stays what the
// bundle was planned from.
type Source struct {
	fd int
	of *File
}

// OpenSource opens the file for reading its own bytes.
func (f *File) OpenSource() (*Source, error) {
	fd, err := f.open()
	if err != nil {
		return nil, err
	}
	if err := f.check(fd); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &Source{fd, f}, nil
}

// ReadAt reads like io.ReaderAt; ErrChanged when the file is not what it was
// after the bytes were read.
func (s *Source) ReadAt(p []byte, off int64) (int, error) {
	size := s.of.Size()
	if off >= size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), size-off)]
	if err := s.of.fill(s.fd, p, off); err != nil {
		return 0, err
	}
	return len(p), s.Check()
}

// Check reports ErrChanged when the file is not what it was. ReadAt has done
// so itself; this is for bytes that came from Fd.
func (s *Source) Check() error { return s.of.check(s.fd) }

// Fd is the descriptor, which nobody but Close may close.
func (s *Source) Fd() int { return s.fd }

// Path is the source's path as the site spells it.
func (s *Source) Path() string { return s.of.Path() }

// Close closes the file.
func (s *Source) Close() error { return unix.Close(s.fd) }
