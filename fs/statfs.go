package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// StatFs says what statfs(2) shows: blocks as stat(2) has them, and none of them used or
// free. Without a size of blocks, bsdtar goes forward by steps of nothing, for ever.
func (r requests) StatFs(_ <-chan struct{}, in *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	if refuses(*in) {
		return deadlock
	}
	out.Bsize, out.Frsize, out.NameLen = blockSize, blockSize, unix.NAME_MAX
	return fuse.OK
}
