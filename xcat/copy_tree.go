package xcat

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

// treeCopy lists what is below a directory, as cp -a or cp -r would copy it: links stay
// links, fifos and devices are made again, and files with several names in the tree are
// one file. Sockets are left out, as tar does.
type treeCopy struct {
	x *exporter
	// asIs keeps owner and mode, as in extra directories. Otherwise root owns
	// everything and the umask is taken off the mode, as in kits.
	asIs bool
	list []treeMember
}

// treeMember is a member of a tree.
type treeMember struct {
	bundle.Member
	file sameFile // of a regular file with several names
}

// sameFile tells which members are names of one file.
type sameFile struct {
	tree *treeCopy
	dev  uint64
	id   source.Identity
}

// below lists what is in the directory dir as members below name, in byte
// order.
func (t *treeCopy) below(dir, name string) {
	if t.x.ctx.Err() != nil || t.x.result.Unreadable != nil {
		return
	}
	dir = strings.TrimRight(dir, "/")
	names, err := t.x.root.ReadDir(dir + "/")
	if err = t.x.noteListed(dir, err); err != nil {
		t.x.skipUnreadable(dir, err)
		return
	}
	for _, base := range names {
		if err := t.entry(dir+"/"+base, name+"/"+base); err != nil {
			t.x.skipUnreadable(dir+"/"+base, err)
		}
	}
}

// entry lists one file and what is below it.
func (t *treeCopy) entry(file, name string) error {
	st, err := t.x.root.Lstat(file)
	if err = t.x.noteListed(file, err); err != nil {
		return err
	}
	m, err := t.member(file, name, st)
	if err != nil {
		return err
	}
	if m.Name == "" {
		t.x.warn(fmt.Sprintf("%s of %s is a %s, which a bundle cannot hold. Skip.", file, t.x.req.Image, st.TypeName()))
		return nil
	}
	if t.asIs {
		m = m.WithOwner(st.UID, st.GID)
	}
	entry := treeMember{Member: m}
	if st.IsRegular() && st.Nlink > 1 {
		entry.file = sameFile{t, st.Dev, st.Identity}
	}
	t.list = append(t.list, entry)
	if st.IsDir() {
		t.below(file, name)
	}
	return nil
}

// member makes the member of one file. It has no name if a bundle cannot hold such a
// file.
func (t *treeCopy) member(file, name string, st source.Stat) (bundle.Member, error) {
	perm := st.Perm()
	if !t.asIs {
		perm &= permMask
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return bundle.NewDirectory(name, perm, st.ModTime())
	case unix.S_IFLNK:
		target, err := t.x.root.Readlink(file)
		if err = t.x.noteListed(file, err); err != nil {
			return bundle.Member{}, err
		}
		return bundle.NewSymlink(name, target, st.ModTime())
	case unix.S_IFREG:
		content, err := t.x.content(file, st)
		if err != nil {
			return bundle.Member{}, err
		}
		return bundle.NewRegular(name, perm, st.ModTime(), content)
	case unix.S_IFIFO:
		return bundle.NewFifo(name, perm, st.ModTime())
	case unix.S_IFCHR:
		return bundle.NewDevice(name, bundle.CharDevice, perm, st.ModTime(), unix.Major(st.Rdev), unix.Minor(st.Rdev))
	case unix.S_IFBLK:
		return bundle.NewDevice(name, bundle.BlockDevice, perm, st.ModTime(), unix.Major(st.Rdev), unix.Minor(st.Rdev))
	}
	return bundle.Member{}, nil
}

// addTree lists the members of a tree, and notes which are one file.
func (x *exporter) addTree(list []treeMember) {
	for _, m := range list {
		before := len(x.result.Members)
		x.add(m.Member, nil)
		if added := len(x.result.Members) > before; added && m.file.tree != nil {
			x.sameFiles[m.file] = append(x.sameFiles[m.file], m.Name)
		}
	}
}

// linkFiles makes hard links of the members that are one file: all but the first, which
// comes first in the archive.
func (x *exporter) linkFiles() {
	for _, names := range x.sameFiles {
		slices.Sort(names)
		for _, name := range names[1:] {
			m := &x.result.Members[x.members[name]]
			link, err := bundle.NewHardLink(*m, names[0])
			if err != nil {
				x.refuse(fmt.Sprintf("%s: %v", x.req.Image, err))
				return
			}
			*m = link
		}
	}
}
