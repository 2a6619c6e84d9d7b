package xcat

import (
	"fmt"
	"strings"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

// treeCopy lists what is below a directory: links stay links, hard links
// become files of their own, and what is neither file, directory nor link is
// left out.
type treeCopy struct {
	x *exporter
	// asIs keeps owner and mode, as in extra directories. Otherwise root owns
	// everything and the mode is less the umask, as in kits.
	asIs bool
	list []bundle.Member
}

// below lists what is in the directory dir as members below name, in byte
// order.
func (t *treeCopy) below(dir, name string) {
	if t.x.ctx.Err() != nil {
		return
	}
	dir = strings.TrimRight(dir, "/")
	names, err := t.x.root.ReadDir(dir + "/")
	if err != nil {
		t.x.skipUnreadable(dir, reason(err))
		return
	}
	for _, base := range names {
		if err := t.entry(dir+"/"+base, name+"/"+base); err != nil {
			t.x.skipUnreadable(dir+"/"+base, reason(err))
		}
	}
}

// entry lists one file and what is below it.
func (t *treeCopy) entry(file, name string) error {
	st, err := t.x.root.Lstat(file)
	if err != nil {
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
	t.list = append(t.list, m)
	if st.IsDir() {
		t.below(file, name)
	}
	return nil
}

// member makes the member of one file, or none of a file that a bundle cannot
// hold.
func (t *treeCopy) member(file, name string, st source.Stat) (bundle.Member, error) {
	perm := st.Perm()
	if !t.asIs {
		perm &= permMask
	}
	switch {
	case st.IsDir():
		return bundle.NewDirectory(name, perm, st.ModTime())
	case st.IsSymlink():
		target, err := t.x.root.Readlink(file)
		if err != nil {
			return bundle.Member{}, err
		}
		return bundle.NewSymlink(name, target, st.ModTime())
	case st.IsRegular():
		content, err := t.x.content(file, st)
		if err != nil {
			return bundle.Member{}, err
		}
		return bundle.NewRegular(name, perm, st.ModTime(), content)
	}
	return bundle.Member{}, nil
}
