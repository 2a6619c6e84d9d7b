package fs

import (
	"context"
	"errors"
	iofs "io/fs"
	"syscall"

	"imgexportfs/bundle/source"
)

// errno is the one place where errors become numbers. What the caller cannot
// see in a number is logged.
func (m *mount) errno(err error) syscall.Errno {
	var errno syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return syscall.EINTR
	case errors.Is(err, errNotOffered):
		return syscall.ENOENT
	case errors.Is(err, source.ErrChanged):
		m.log.Warn("a source changed under an open file; open the file again", "error", err)
		return syscall.ESTALE
	case errors.Is(err, iofs.ErrPermission):
		errno = syscall.EACCES
	case !errors.As(err, &errno) || errno == 0:
		errno = syscall.EIO
	}
	m.log.Error("answered with an error", "errno", errno.Error(), "error", err)
	return errno
}
