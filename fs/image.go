package fs

import (
	"context"
	"path"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/bundle"
)

// image is NAME, the directory that holds what the bundle of an image holds.
// It lives through versions; what is in it does not.
type image struct {
	gofs.Inode
	*mount
	ino uint64
	of  exhibit
}

var _ = (gofs.NodeGetattrer)((*image)(nil))

func (i *image) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return i.getattr(ctx, i, out)
}

func (i *image) attributes(ctx context.Context) (attributes, error) {
	v, err := i.gallery.present(ctx, i.of)
	if err != nil {
		return attributes{}, err
	}
	return attributes{ino: i.ino, kind: syscall.S_IFDIR, time: v.modTime()}, nil
}

var _ = (gofs.NodeReaddirer)((*image)(nil))

func (i *image) Readdir(ctx context.Context) (gofs.DirStream, syscall.Errno) {
	v, err := i.gallery.present(ctx, i.of)
	if err != nil {
		return nil, i.errno(err)
	}
	return memberList(v, ""), 0
}

var _ = (gofs.NodeLookuper)((*image)(nil))

func (i *image) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	v, err := i.gallery.present(ctx, i.of)
	if err != nil {
		return nil, i.errno(err)
	}
	return i.member(ctx, i.EmbeddedInode(), v, name, out)
}

// memberDir is a directory among the members of one version.
type memberDir struct {
	gofs.Inode
	*mount
	version *version
	index   int // among the version's members
}

var _ = (gofs.NodeGetattrer)((*memberDir)(nil))

func (d *memberDir) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return d.getattr(ctx, d, out)
}

func (d *memberDir) attributes(context.Context) (attributes, error) {
	return d.version.attributesOf(d.index), nil
}

var _ = (gofs.NodeReaddirer)((*memberDir)(nil))

func (d *memberDir) Readdir(context.Context) (gofs.DirStream, syscall.Errno) {
	return memberList(d.version, d.version.members[d.index].Name), 0
}

var _ = (gofs.NodeLookuper)((*memberDir)(nil))

func (d *memberDir) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	full := d.version.members[d.index].Name + "/" + name
	return d.member(ctx, d.EmbeddedInode(), d.version, full, out)
}

// member answers a lookup of the member called name.
func (m *mount) member(ctx context.Context, parent *gofs.Inode, v *version, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	index, ok := v.memberIndex[name]
	if !ok {
		return nil, m.errno(errNotOffered)
	}
	var n node
	switch v.members[index].Kind {
	case bundle.Directory:
		n = &memberDir{mount: m, version: v, index: index}
	case bundle.Symlink:
		n = &memberLink{mount: m, version: v, index: index}
	default:
		n = &memberFile{mount: m, version: v, index: index}
	}
	return m.child(ctx, parent, n, out)
}

// memberList lists the members directly below dir, which is "" for the top.
func memberList(v *version, dir string) gofs.DirStream {
	list := make([]fuse.DirEntry, 0, len(v.children[dir]))
	for _, i := range v.children[dir] {
		a := v.attributesOf(i)
		list = append(list, fuse.DirEntry{Name: path.Base(v.members[i].Name), Mode: a.kind, Ino: a.ino})
	}
	return gofs.NewListDirStream(list)
}

// attributesOf are those of a member.
func (v *version) attributesOf(index int) attributes {
	m := v.members[index]
	a := attributes{ino: v.ino + inoMembers + uint64(index), time: v.memberTime(m)}
	switch m.Kind {
	case bundle.Directory:
		a.kind = syscall.S_IFDIR
	case bundle.Symlink:
		a.kind, a.size = syscall.S_IFLNK, int64(len(m.Target))
	default:
		a.kind, a.size = syscall.S_IFREG, m.Content.Size()
	}
	return a
}
