package fs

import (
	"context"
	"errors"
	iofs "io/fs"
	"syscall"

	"imgexportfs/bundle/source"
)

var (
	// errNotOffered says that an image has no such file at present.
	errNotOffered = errors.New("not offered")
	// errTimeout says that files did not answer for longer than a request
	// waits for them.
	errTimeout = errors.New("the files do not answer")
)

// errno is the one place where errors become numbers. What the caller cannot
// see in a number is logged.
//
// Only errNotOffered becomes ENOENT: rsync --delete takes that for leave to
// remove a copy, so no error of a source may become one.
func (m *mount) errno(err error) syscall.Errno {
	var errno syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errTimeout), errors.Is(err, context.DeadlineExceeded):
		errno = syscall.ETIMEDOUT
	case errors.Is(err, context.Canceled):
		return syscall.EINTR
	case errors.Is(err, errNotOffered):
		return syscall.ENOENT
	case errors.Is(err, source.ErrChanged):
		m.log.Warn("a source changed under an open file; open the file again", "error", err)
		return syscall.ESTALE
	case errors.Is(err, iofs.ErrPermission):
		errno = syscall.EACCES
	case !errors.As(err, &errno) || errno == 0 || errno == syscall.ENOENT:
		errno = syscall.EIO
	}
	m.log.Error("answered with an error", "errno", errno.Error(), "error", err)
	return errno
}
