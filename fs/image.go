package fs

import (
	"context"
	"path"
	"syscall"
	"time"

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
	catalog, _, err := i.gallery.look(ctx)
	if err != nil {
		return attributes{}, err
	}
	brief, err := i.gallery.brief(ctx, catalog, i.of)
	if err != nil {
		return attributes{}, err
	}
	return attributes{ino: i.ino, kind: syscall.S_IFDIR, time: briefTime(brief.Members)}, nil
}

// briefTime is the time of the newest member, the tree of a statelite image
// aside, which a listing must not walk.
func briefTime(members []bundle.Member) time.Time {
	var files []bundle.Member
	for _, m := range members {
		if _, isTree := m.Content.(*bundle.Tree); !isTree {
			files = append(files, m)
		}
	}
	return bundle.Newest(files)
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
	return i.findMember(ctx, i.EmbeddedInode(), v, name, out)
}

// memberOf is what the nodes of members share: one member of one version.
type memberOf struct {
	*mount
	version *version
	index   int // among the version's members
}

var _ = (gofs.NodeGetattrer)((*memberFile)(nil))

func (n memberOf) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.getattr(ctx, n, out)
}

func (n memberOf) attributes(context.Context) (attributes, error) {
	return n.version.attributesOf(n.index), nil
}

// member is what the bundle holds.
func (n memberOf) member() bundle.Member { return n.version.members[n.index] }

// memberDir is a directory among the members.
type memberDir struct {
	gofs.Inode
	memberOf
}

var _ = (gofs.NodeReaddirer)((*memberDir)(nil))

func (d *memberDir) Readdir(context.Context) (gofs.DirStream, syscall.Errno) {
	return memberList(d.version, d.member().Name), 0
}

var _ = (gofs.NodeLookuper)((*memberDir)(nil))

func (d *memberDir) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	full := d.member().Name + "/" + name
	return d.findMember(ctx, d.EmbeddedInode(), d.version, full, out)
}

// findMember answers a lookup of the member called name.
func (m *mount) findMember(ctx context.Context, parent *gofs.Inode, v *version, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	index, ok := v.memberIndex[name]
	if !ok {
		return nil, m.errno(errNotOffered)
	}
	which := memberOf{mount: m, version: v, index: index}
	var n node
	switch v.members[index].Kind {
	case bundle.Directory:
		n = &memberDir{memberOf: which}
	case bundle.Symlink:
		n = &memberLink{memberOf: which}
	default:
		n = &memberFile{memberOf: which}
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
