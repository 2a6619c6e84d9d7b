package fs

import (
	"context"
	"hash/maphash"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// attributes are what stat shows of a node, apart from what all share.
type attributes struct {
	key   inodeKey
	kind  uint32 // syscall.S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFCHR or S_IFBLK
	rdev  uint32 // of a device
	size  int64  // of a file or a link's target
	time  time.Time
	valid time.Duration // for how long the kernel may show them
}

// described is what stat can be answered for.
type described interface {
	// attributes may have to find a size first; it returns when ctx ends.
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
func (m *mount) fill(a attributes, out *fuse.Attr) {
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
	out.Mode = a.kind | perm
	out.Rdev = a.rdev
	out.Size = uint64(a.size)
	out.Blocks = (out.Size + 511) / 512 // no holes are reported
	out.Blksize = blockSize
	out.Nlink = 1
	out.Owner = m.owner
	out.SetTimes(&a.time, &a.time, &a.time)
}

// getattr answers a stat of n.
func (m *mount) getattr(ctx context.Context, n described, out *fuse.AttrOut) syscall.Errno {
	ctx, done := wanted(ctx)
	defer done()
	a, err := n.attributes(ctx)
	if err != nil {
		return m.errno(err)
	}
	out.SetTimeout(a.valid)
	m.fill(a, &out.Attr)
	return 0
}

// child answers a lookup that found n below parent, which holds for so long.
func (m *mount) child(ctx context.Context, parent *gofs.Inode, n node, valid time.Duration, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	a, err := n.attributes(ctx)
	if err != nil {
		return nil, m.errno(err)
	}
	m.fill(a, &out.Attr)
	out.SetEntryTimeout(valid)
	out.SetAttrTimeout(min(valid, a.valid))
	stable := a.key.inode(parent, a.kind)
	out.Ino = stable.Ino
	return parent.NewInode(ctx, n, stable), 0
}

// inodeKey is what an inode stands for. What has another key may have other
// bytes; what has the same key has the same bytes.
type inodeKey struct {
	role        role
	view        view
	fingerprint [32]byte // of the version that a file belongs to
	attempt     uint64   // see version
	name        string   // of a member, a folder or a status file; the text of a .errors file
}

// inodeSeeds are drawn anew in every process, so nobody can choose names whose
// numbers are equal.
var inodeSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// inode returns the inode number and generation of what k stands for in the directory
// parent. They are 126 bits of a hash, so that no table of numbers grows with what is
// looked up. go-fuse tells nodes apart by both.
//
// A node stands in one directory only. When go-fuse forgets a node of several, it keeps
// all of them but one: 12,000 made-up names of one node's folder took 8 MiB for good.
func (k inodeKey) inode(parent *gofs.Inode, kind uint32) gofs.StableAttr {
	type placed struct {
		inodeKey
		parent uint64
	}
	const high = 1 << 62 // go-fuse and the kernel use small numbers
	p := placed{k, parent.StableAttr().Ino}
	return gofs.StableAttr{
		Mode: kind,
		Ino:  maphash.Comparable(inodeSeeds[0], p)/2 | high,
		Gen:  maphash.Comparable(inodeSeeds[1], p),
	}
}
