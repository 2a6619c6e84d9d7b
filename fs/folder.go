package fs

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"imgexportfs/bundle/source"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// nodePrefix marks the folders that show images as seen from a node.
const nodePrefix = "@"

// folder lists images: the root, and below it @NODE, which is found by name
// but not listed.
type folder struct {
	gofs.Inode
	*mount
	ino  uint64
	node string // noderange; "" for the root
}

var _ = (gofs.NodeGetattrer)((*folder)(nil))

func (f *folder) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *folder) attributes(context.Context) (attributes, error) {
	return attributes{ino: f.ino, kind: syscall.S_IFDIR, time: f.started}, nil
}

var _ = (gofs.NodeOpendirHandler)((*folder)(nil))

// OpendirHandle lists without finding out any size.
func (f *folder) OpendirHandle(ctx context.Context, _ uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	list, err := f.list(ctx)
	if err != nil {
		return nil, 0, f.errno(err)
	}
	return &listing{folder: f, entries: list}, 0, 0
}

func (f *folder) list(ctx context.Context) ([]fuse.DirEntry, error) {
	catalog, dir, err := f.gallery.look(ctx)
	if err != nil {
		return nil, err
	}
	briefs, err := f.gallery.briefs(ctx, catalog, f.node, dir.offers)
	if err != nil {
		return nil, err
	}
	clashes := dir.clashNames()
	list := make([]fuse.DirEntry, 0, 3*len(dir.offers)+len(clashes))
	for i := range dir.offers {
		o, brief := &dir.offers[i], briefs[i]
		if o.Clash != nil {
			continue
		}
		list = append(list, fuse.DirEntry{Name: o.Name, Mode: syscall.S_IFDIR})
		if !brief.Refused {
			list = append(list,
				fuse.DirEntry{Name: o.Name + bundleSuffix, Mode: syscall.S_IFREG},
				fuse.DirEntry{Name: o.Name + checksumSuffix, Mode: syscall.S_IFREG})
		}
		if _, also := dir.clashes[o.Name+errorsSuffix]; !also && len(brief.Problems()) > 0 {
			list = append(list, fuse.DirEntry{Name: o.Name + errorsSuffix, Mode: syscall.S_IFREG})
		}
	}
	for _, name := range clashes {
		list = append(list, fuse.DirEntry{Name: name, Mode: syscall.S_IFREG})
	}
	return list, nil
}

var _ = (gofs.NodeLookuper)((*folder)(nil))

func (f *folder) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	found, err := f.find(ctx, name)
	if err != nil {
		return nil, f.errno(err)
	}
	return f.child(ctx, f.EmbeddedInode(), found, out)
}

// find returns the node that name stands for at present.
func (f *folder) find(ctx context.Context, name string) (node, error) {
	if name == statusName && f.node == "" {
		return f.status, nil
	}
	catalog, dir, err := f.gallery.look(ctx)
	if err != nil {
		return nil, err
	}
	if noderange, ok := strings.CutPrefix(name, nodePrefix); ok && f.node == "" {
		if _, err := catalog.FirstNode(noderange); err == nil {
			return &folder{mount: f.mount, ino: f.folderInos.ino(noderange), node: noderange}, nil
		}
	}
	c, claimed := dir.claims[name]
	if !claimed {
		return f.errors(name, dir.clashText(name))
	}
	of := exhibit{f.node, c.offer.Image}
	f.gallery.warmer.hurry(of)
	if c.role == roleImage {
		return &image{mount: f.mount, ino: f.imageInos.ino(of), of: of}, nil
	}
	v, err := f.gallery.present(ctx, of)
	switch {
	case err != nil:
		return nil, err
	case c.role == roleErrors:
		return f.errors(name, errorsText(v.problems)+dir.clashText(name))
	case v.bundle == nil:
		return nil, errNotOffered
	case c.role == roleChecksum:
		return &checksumFile{mount: f.mount, version: v}, nil
	}
	return f.bundle(ctx, of, v)
}

// errors returns the node of a .errors file, which exists if it has a text.
func (f *folder) errors(name, text string) (node, error) {
	if text == "" {
		return nil, errNotOffered
	}
	ino := f.textInos.ino(f.node + "/" + name + "\x00" + text)
	return &textFile{mount: f.mount, ino: ino, text: text}, nil
}

// bundle returns the node of the bundle of v, or of the version behind it if
// a source has changed meanwhile.
func (f *folder) bundle(ctx context.Context, of exhibit, v *version) (node, error) {
	_, err := v.bundle.Size(ctx)
	if errors.Is(err, source.ErrChanged) {
		f.gallery.distrust(ctx, of, v)
		if v, err = f.gallery.present(ctx, of); err != nil {
			return nil, err
		}
		if v.bundle == nil {
			return nil, errNotOffered
		}
		_, err = v.bundle.Size(ctx)
	}
	if err == nil {
		return &bundleFile{mount: f.mount, version: v}, nil
	}
	if ctx.Err() == nil && !errors.Is(err, source.ErrChanged) {
		f.log.Error("a bundle is withdrawn", "image", of.image, "error", err)
		f.gallery.withdraw(ctx, of, v, err)
		return nil, errNotOffered
	}
	return nil, err
}
