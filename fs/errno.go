package fs

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"sync"
	"syscall"
	"time"

	"imgexportfs/bundle/source"
	"imgexportfs/fs/metrics"
)

var (
	// errNotOffered says that an image has no such file at present.
	errNotOffered = errors.New("not offered")
	// errTimeout says that files did not answer for longer than a request
	// waits for them.
	errTimeout = errors.New("the files do not answer")
	// errDistrusted says that no look has found a version since it was distrusted.
	errDistrusted = fmt.Errorf("%w, and not looked at since", source.ErrChanged)
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
		m.metrics.Failed(metrics.Stale)
		if m.changes.isNews(err.Error(), time.Now()) {
			m.log.Warn("a source changed under an open file; open the file again", "error", err)
		}
		return syscall.ESTALE
	case errors.Is(err, iofs.ErrPermission):
		errno = syscall.EACCES
	case !errors.As(err, &errno) || errno == 0 || errno == syscall.ENOENT:
		errno = syscall.EIO
	}
	m.metrics.Failed(failureOf(errno))
	m.log.Error("answered with an error", "errno", errno.Error(), "error", err)
	return errno
}

// failureOf is the kind that an error is counted as.
func failureOf(errno syscall.Errno) metrics.Failure {
	switch errno {
	case syscall.ETIMEDOUT:
		return metrics.Timeout
	case syscall.EACCES:
		return metrics.Permission
	}
	return metrics.Other
}

// changes remembers which changes of sources were logged. The kernel sends several
// reads of a file at a time, and each of them meets the change.
type changes struct {
	mu     sync.Mutex // guards logged
	logged map[string]time.Time
}

const (
	// changeAgain is how long the same change is not logged again.
	changeAgain = 10 * time.Second
	// changesMax is how many changes are remembered at most.
	changesMax = 100
)

// isNews reports whether the change is to be logged now.
func (c *changes) isNews(text string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, known := c.logged[text]; known && now.Sub(at) < changeAgain {
		return false
	}
	if c.logged == nil || len(c.logged) >= changesMax {
		c.logged = map[string]time.Time{}
	}
	c.logged[text] = now
	return true
}
