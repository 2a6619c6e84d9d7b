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
	list, err := f.list(ctx)
	if err != nil {
		return nil, 0, f.errno(err)
	}
	return &listing{folder: f, entries: list}, 0, 0
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
