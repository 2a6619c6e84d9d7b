package fs

import (
	"context"
	"path"
	"slices"
	"strings"
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
	of view
}

var _ = (gofs.NodeGetattrer)((*image)(nil))

func (i *image) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return i.getattr(ctx, i, out)
}

func (i *image) attributes(ctx context.Context) (attributes, error) {
	r, err := i.versions.look(ctx)
	if err != nil {
		return attributes{}, err
	}
	s, err := i.versions.summary(ctx, r, i.of)
	if err != nil {
		return attributes{}, err
	}
	a := attributes{
		key: inodeKey{role: roleImage, view: i.of}, kind: syscall.S_IFDIR, time: s.modTime,
		valid: max(i.opts.Refresh-time.Since(s.at), 0),
	}
	if s.at.IsZero() {
		a.time = undated // nothing is known yet
	}
	return a, nil
}

var _ = (gofs.NodeReaddirer)((*image)(nil))

func (i *image) Readdir(ctx context.Context) (gofs.DirStream, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	v, p, _, err := i.versions.presentPlan(ctx, i.of)
	if err != nil {
		return nil, i.errno(err)
	}
	return listMembers(i.EmbeddedInode(), v, p, ""), 0
}

var _ = (gofs.NodeLookuper)((*image)(nil))

func (i *image) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	v, p, valid, err := i.versions.presentPlan(ctx, i.of)
	if err != nil {
		return nil, i.errno(err)
	}
	defer p.release()
	return i.findMember(ctx, i.EmbeddedInode(), v, p, name, valid, out)
}

// member is what the nodes of members share. It holds what stat shows, so that
// the plan is only needed to open it.
type member struct {
	versionFile
	shown attributes
}

var _ = (gofs.NodeGetattrer)((*memberFile)(nil))

func (n *member) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.getattr(ctx, n, out)
}

func (n *member) attributes(context.Context) (attributes, error) { return n.shown, nil }

// name is the member's name in the bundle.
func (n *member) name() string { return n.shown.key.name }

// memberDir is a directory among the members.
type memberDir struct{ member }

var _ = (gofs.NodeReaddirer)((*memberDir)(nil))

func (d *memberDir) Readdir(ctx context.Context) (gofs.DirStream, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	p, err := d.versions.planOf(ctx, d.version)
	if err != nil {
		return nil, d.fail(err)
	}
	return listMembers(d.EmbeddedInode(), d.version, p, d.name()), 0
}

var _ = (gofs.NodeLookuper)((*memberDir)(nil))

func (d *memberDir) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	p, err := d.versions.planOf(ctx, d.version)
	if err != nil {
		return nil, d.fail(err)
	}
	defer p.release()
	return d.findMember(ctx, d.EmbeddedInode(), d.version, p, d.name()+"/"+name, d.opts.Refresh, out)
}

// findMember answers a lookup of the member called name, whose answer holds for
// so long.
func (m *mount) findMember(ctx context.Context, parent *gofs.Inode, v *version, p *plan, name string, valid time.Duration, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	found, ok := p.members.find(name)
	if !ok {
		return nil, m.errno(errNotOffered)
	}
	shown := memberAttributes(v, p, found)
	shown.valid = m.opts.Refresh
	var n node
	switch found.Kind {
	case bundle.Directory:
		n = &memberDir{member{versionFile{mount: m, version: v}, shown}}
	case bundle.Symlink:
		n = &memberLink{member{versionFile{mount: m, version: v}, shown}, found.Target}
	case bundle.Fifo, bundle.CharDevice, bundle.BlockDevice:
		n = &memberSpecial{member{versionFile{mount: m, version: v}, shown}}
	default:
		n = &memberFile{member: member{versionFile{mount: m, version: v}, shown}}
	}
	return m.child(ctx, parent, n, valid, out)
}

// listMembers lists the members directly in dir, which is "" for the top, as those of
// parent. The listing takes over the plan.
func listMembers(parent *gofs.Inode, v *version, p *plan, dir string) gofs.DirStream {
	members := p.members.in(dir)
	list := make([]fuse.DirEntry, 0, len(members))
	for _, m := range members {
		a := memberAttributes(v, p, m)
		list = append(list, fuse.DirEntry{Name: path.Base(m.Name), Mode: a.kind, Ino: a.key.inode(parent, a.kind).Ino})
	}
	return &memberListing{gofs.NewListDirStream(list), p}
}

// memberAttributes are those of a member of v, whose plan p is.
func memberAttributes(v *version, p *plan, m bundle.Member) attributes {
	a := attributes{key: v.key(roleMember, m.Name), time: p.memberTime(m)}
	switch m.Kind {
	case bundle.Directory:
		a.kind = syscall.S_IFDIR
	case bundle.Symlink:
		a.kind, a.size = syscall.S_IFLNK, int64(len(m.Target))
	case bundle.Fifo:
		a.kind = syscall.S_IFIFO
	case bundle.CharDevice:
		a.kind, a.rdev = syscall.S_IFCHR, deviceNumber(m)
	case bundle.BlockDevice:
		a.kind, a.rdev = syscall.S_IFBLK, deviceNumber(m)
	default:
		a.kind, a.size = syscall.S_IFREG, m.Content.Size()
	}
	return a
}

// memberList is the members of an image in byte order of their names. What is
// below a directory stands in one run, so finding it needs no index.
type memberList []bundle.Member

func newMemberList(members []bundle.Member) memberList {
	l := slices.Clone(members)
	slices.SortFunc(l, func(a, b bundle.Member) int { return strings.Compare(a.Name, b.Name) })
	return l
}

// at returns where name stands in the list, or would stand.
func (l memberList) at(name string) (int, bool) {
	return slices.BinarySearchFunc(l, name, func(m bundle.Member, name string) int { return strings.Compare(m.Name, name) })
}

// find returns the member called name.
func (l memberList) find(name string) (bundle.Member, bool) {
	i, found := l.at(name)
	if !found {
		return bundle.Member{}, false
	}
	return l[i], true
}

// in returns the members directly in the directory dir, which is "" for the
// top.
func (l memberList) in(dir string) []bundle.Member {
	var list []bundle.Member
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	i, _ := l.at(prefix)
	for i < len(l) && strings.HasPrefix(l[i].Name, prefix) {
		base, _, deeper := strings.Cut(l[i].Name[len(prefix):], "/")
		if !deeper {
			list = append(list, l[i])
			i++
			continue
		}
		i, _ = l.at(prefix + base + "0") // the byte after the slash: behind all that is below
	}
	return list
}
