package fs

import (
	"context"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// listing is an open folder.
//
// The kernel asks for attributes along with names when it sees that the reader
// looks at each file, as ls -l does, and for the first names of every listing,
// of which those of directories cost nothing. It gets those that cost little. A bundle that would have to be measured is
// left for the lookup of its own, which can be interrupted.
type listing struct {
	folder  *folder
	entries []fuse.DirEntry
	next    int
}

// unasked is for how many entries the kernel wants attributes before it can
// know whether the reader does.
const unasked = 256

var _ = (gofs.FileReaddirenter)((*listing)(nil))

// Readdirent returns the next entry, nil at the end.
func (l *listing) Readdirent(context.Context) (*fuse.DirEntry, syscall.Errno) {
	if l.next == len(l.entries) {
		return nil, 0
	}
	l.next++
	e := l.entries[l.next-1]
	e.Off = uint64(l.next)
	return &e, 0
}

var _ = (gofs.FileSeekdirer)((*listing)(nil))

// Seekdir goes on behind the entry with the offset off.
func (l *listing) Seekdir(_ context.Context, off uint64) syscall.Errno {
	if off > uint64(len(l.entries)) {
		return syscall.EINVAL
	}
	l.next = int(off)
	return 0
}

var _ = (gofs.FileLookuper)((*listing)(nil))

// Lookup returns the entry just read if that is quickly done. An error means
// only that there are no attributes in the listing.
func (l *listing) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	if !l.folder.isQuick(ctx, name, l.next > unasked) {
		return nil, syscall.EAGAIN
	}
	return l.folder.lookup(ctx, name, out)
}

// isQuick reports whether a lookup of name takes microseconds: because its
// version is known, or, with anew, because making it takes no walk.
func (f *folder) isQuick(ctx context.Context, name string, anew bool) bool {
	r, err := f.versions.look(ctx)
	if err != nil {
		return false
	}
	o, owned := r.names.owners[name]
	if !owned || o.role == roleImage {
		return true
	}
	of := view{f.node, o.offer.Image}
	v := f.versions.fresh(r, of)
	if v == nil && anew && !r.hasTree(of.image) {
		v, _ = f.versions.present(ctx, r, of)
	}
	if v == nil || v.refused || v.size.Load() >= 0 {
		return v != nil
	}
	p := v.use()
	if p == nil {
		return false
	}
	defer p.release()
	return o.role == roleErrors || p.bundle.QuickSize()
}
