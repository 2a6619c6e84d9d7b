package source

import (
	"io"

	"golang.org/x/sys/unix"
)

// Handle is an open File, which is read as long as it stays in its planned
// state.
type Handle struct {
	fd   int
	file *File
}

// Open opens the file; ErrChanged if it is not in its planned state.
func (f *File) Open() (*Handle, error) {
	fd, err := f.open()
	if err != nil {
		return nil, err
	}
	if err := f.check(fd); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &Handle{fd, f}, nil
}

// ReadAt reads like io.ReaderAt, and then checks the file's state.
func (h *Handle) ReadAt(p []byte, off int64) (int, error) {
	size := h.file.Size()
	if off >= size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), size-off)]
	defer h.file.root.calls.begin(h.file.path)()
	if err := h.file.fill(h.fd, p, off); err != nil {
		return 0, err
	}
	return len(p), h.Check()
}

// Check returns ErrChanged unless the file is in its planned state. ReadAt
// does so by itself; Check is for those who read from Fd.
func (h *Handle) Check() error { return h.file.check(h.fd) }

// Fd is the file's descriptor. It stays open until Close.
func (h *Handle) Fd() int { return h.fd }

// Path is the file's path as the site spells it.
func (h *Handle) Path() string { return h.file.path }

// Close closes the file.
func (h *Handle) Close() error { return unix.Close(h.fd) }
