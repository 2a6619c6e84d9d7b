package fs

import (
	"context"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
)

// memberListing lists members of a plan, and keeps the plan until the directory is closed.
// The kernel looks up each name that it lists, and a plan for which the budget has no room
// would be made again for each of them: ls of 200,000 files with --memory 64MiB took hours.
type memberListing struct {
	gofs.DirStream
	plan *plan
}

var _ = (gofs.FileSeekdirer)((*memberListing)(nil))

// Seekdir is for a reader that begins again.
func (l *memberListing) Seekdir(ctx context.Context, off uint64) syscall.Errno {
	if list, ok := l.DirStream.(gofs.FileSeekdirer); ok {
		return list.Seekdir(ctx, off)
	}
	return syscall.ENOTSUP
}

// Close ends the listing.
func (l *memberListing) Close() {
	l.DirStream.Close()
	l.plan.release()
}
