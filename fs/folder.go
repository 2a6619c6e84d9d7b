package fs

import (
	"context"
	"strings"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/xcat"
)

// folder lists images: the root, and below it @NODE, which is found by name
// but not listed.
type folder struct {
	gofs.Inode
	*mount
	name string // of the folder; "" for the root
	node string // the first node of the noderange in the name, which alone counts; "" for the root
}

var _ = (gofs.NodeGetattrer)((*folder)(nil))

func (f *folder) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *folder) attributes(context.Context) (attributes, error) {
	key := inodeKey{role: roleFolder, view: view{node: f.node}, name: f.name}
	return attributes{key: key, kind: syscall.S_IFDIR, time: undated, valid: f.opts.Refresh}, nil
}

var _ = (gofs.NodeOpendirHandler)((*folder)(nil))

// OpendirHandle lists without finding any size.
func (f *folder) OpendirHandle(ctx context.Context, _ uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	pause := f.versions.warmer.pause()
	list, err := f.list(ctx)
	if err != nil {
		pause.end()
		return nil, 0, f.errno(err)
	}
	return &listing{folder: f, entries: list, pause: pause}, 0, 0
}

func (f *folder) list(ctx context.Context) ([]fuse.DirEntry, error) {
	r, err := f.versions.look(ctx)
	if err != nil {
		return nil, err
	}
	summaries, err := f.versions.summaries(ctx, r, f.node)
	if err != nil {
		return nil, err
	}
	clashes := r.names.clashNames()
	list := make([]fuse.DirEntry, 0, 3*len(summaries)+len(clashes))
	for i, s := range summaries {
		o := &r.names.offers[i]
		if o.Clash != nil {
			continue
		}
		list = append(list, fuse.DirEntry{Name: o.Name, Mode: syscall.S_IFDIR})
		if !s.refused {
			list = append(list,
				fuse.DirEntry{Name: o.Name + xcat.BundleSuffix, Mode: syscall.S_IFREG},
				fuse.DirEntry{Name: o.Name + xcat.ChecksumSuffix, Mode: syscall.S_IFREG})
		}
		errorsName := o.Name + xcat.ErrorsSuffix
		if _, also := r.names.clashes[errorsName]; !also && s.faults {
			list = append(list, fuse.DirEntry{Name: errorsName, Mode: syscall.S_IFREG})
		}
	}
	for _, name := range clashes {
		list = append(list, fuse.DirEntry{Name: name, Mode: syscall.S_IFREG})
	}
	return list, nil
}

var _ = (gofs.NodeLookuper)((*folder)(nil))

func (f *folder) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	return f.lookup(ctx, name, out)
}

func (f *folder) lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	if name == statusName && f.name == "" {
		return f.child(ctx, f.EmbeddedInode(), &statusDir{mount: f.mount}, f.opts.Refresh, out)
	}
	r, err := f.versions.look(ctx)
	if err != nil {
		return nil, f.errno(err)
	}
	found, valid, err := f.find(ctx, r, name)
	if err != nil {
		return nil, f.errno(err)
	}
	return f.child(ctx, f.EmbeddedInode(), found, valid, out)
}

// find returns the node that name stands for at present, and for how long that
// holds.
func (f *folder) find(ctx context.Context, r rows, name string) (node, time.Duration, error) {
	if noderange, ok := strings.CutPrefix(name, xcat.NodePrefix); ok && f.name == "" {
		if first, err := r.catalog.FirstNode(noderange); err == nil {
			return &folder{mount: f.mount, name: name, node: first}, f.versions.validFor(r, nil), nil
		}
	}
	o, owned := r.names.owners[name]
	if !owned {
		return f.errors(view{node: f.node}, r, name, nil)
	}
	of := view{f.node, o.offer.Image}
	f.versions.warmer.hurry(of)
	switch o.role {
	case roleImage:
		return &image{mount: f.mount, of: of}, f.versions.validFor(r, nil), nil
	case roleBundle:
		f.versions.warmer.resume()
	case roleErrors:
		v, err := f.versions.present(ctx, r, of)
		if err != nil {
			return nil, 0, err
		}
		return f.errors(of, r, name, v)
	}
	v, err := f.versions.sized(ctx, r, of)
	if err != nil {
		return nil, 0, err
	}
	valid := f.versions.validFor(r, v)
	if o.role == roleChecksum {
		return &checksumFile{versionFile{mount: f.mount, version: v}}, valid, nil
	}
	return &bundleFile{versionFile{mount: f.mount, version: v}}, valid, nil
}

// errors returns the node of a .errors file, which exists if it has a text. v
// is nil if the name is that of no image.
func (f *folder) errors(of view, r rows, name string, v *version) (node, time.Duration, error) {
	file := &textFile{mount: f.mount, of: of, text: r.names.clashText(name), time: undated}
	if v != nil {
		file.text, file.time = v.errors+file.text, v.modTime
	}
	if file.text == "" {
		return nil, 0, errNotOffered
	}
	return file, f.versions.validFor(r, v), nil
}

// listing is an open folder.
//
// The kernel asks for attributes along with names when it sees that the reader
// looks at each file, as ls -l does, and for the first names of every listing, of
// which those of directories cost nothing. It gets those that cost little. A bundle
// that would have to be measured is left for the lookup of its own, which can be
// interrupted.
type listing struct {
	folder  *folder
	entries []fuse.DirEntry
	next    int
	pause   *pause
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
	l.pause.prolong()
	l.next++
	e := l.entries[l.next-1]
	e.Off = uint64(l.next)
	return &e, 0
}

var _ = (gofs.FileReleasedirer)((*listing)(nil))

// Releasedir ends the listing.
func (l *listing) Releasedir(context.Context, uint32) { l.pause.end() }

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
