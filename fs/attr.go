package fs

import (
	"context"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// attributes are what stat shows of a node, apart from what all share.
type attributes struct {
	ino  uint64
	kind uint32 // syscall.S_IFREG, S_IFDIR or S_IFLNK
	size int64  // of a file or a link's target
	time time.Time
}

// described is what stat can be answered for.
type described interface {
	// attributes may have to find out a size first; it returns when ctx
	// ends.
	attributes(ctx context.Context) (attributes, error)
}

// node is what every node of this file system can do.
type node interface {
	gofs.InodeEmbedder
	described
}

// blockSize is what stat names as the size to read by. go-fuse rounds st_blocks
// up to whole pages where it is not set.
const blockSize = 4096

// fill writes the attributes of a node as Lookup and Getattr both show them.
func (m *mount) fill(ctx context.Context, n described, out *fuse.Attr) syscall.Errno {
	a, err := n.attributes(ctx)
	if err != nil {
		return m.errno(err)
	}
	perm := uint32(0o444)
	switch a.kind {
	case syscall.S_IFDIR:
		perm = 0o555
	case syscall.S_IFLNK:
		perm = 0o777 // links have no permissions of their own
	}
	if a.kind != syscall.S_IFLNK {
		perm &^= m.opts.Umask
	}
	out.Ino = a.ino
	out.Mode = a.kind | perm
	out.Size = uint64(a.size)
	out.Blocks = (out.Size + 511) / 512 // every byte is data to who looks for holes
	out.Blksize = blockSize
	out.Nlink = 1
	out.Owner = m.owner
	out.SetTimes(&a.time, &a.time, &a.time)
	return 0
}

// getattr answers a stat of n.
func (m *mount) getattr(ctx context.Context, n described, out *fuse.AttrOut) syscall.Errno {
	out.SetTimeout(m.opts.Refresh)
	return m.fill(ctx, n, &out.Attr)
}

// child answers a lookup that found n below parent.
func (m *mount) child(ctx context.Context, parent *gofs.Inode, n node, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	if errno := m.fill(ctx, n, &out.Attr); errno != 0 {
		return nil, errno
	}
	out.SetEntryTimeout(m.opts.Refresh)
	out.SetAttrTimeout(m.opts.Refresh)
	stable := gofs.StableAttr{Mode: out.Mode & syscall.S_IFMT, Ino: out.Ino}
	return parent.NewInode(ctx, n, stable), 0
}
