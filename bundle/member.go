package bundle

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
)

// Kind is what a member is in the archive.
type Kind uint8

// The kinds of member. imgexport's bundles hold no others.
const (
	Directory Kind = iota + 1
	Regular
	Symlink
	HardLink // a file that an earlier member holds already
	Fifo
	CharDevice
	BlockDevice
)

// Member is one entry of a bundle below its top directory. The constructors
// check it, so a Member that exists can be written.
type Member struct {
	Name     string // relative, clean, slash separated: "kernel", "extra/opt/x"
	Kind     Kind
	Perm     uint32    // 0 to 07777
	UID, GID uint32    // 0 but inside extra directories (docs/rules.md, section 4)
	ModTime  time.Time // zero: the newest time in the bundle, for generated members
	Target   string    // of a symbolic link; of a hard link: the member that holds the bytes
	Content  Content   // of a regular file and of a hard link
	Major    uint32    // of a device
	Minor    uint32    // of a device
}

// NewDirectory returns a directory member.
func NewDirectory(name string, perm uint32, mtime time.Time) (Member, error) {
	return checked(Member{Name: name, Kind: Directory, Perm: perm, ModTime: mtime})
}

// NewRegular returns a member that holds content.
func NewRegular(name string, perm uint32, mtime time.Time, content Content) (Member, error) {
	if content == nil {
		return Member{}, fmt.Errorf("member %q: no content", name)
	}
	return checked(Member{Name: name, Kind: Regular, Perm: perm, ModTime: mtime, Content: content})
}

// NewSymlink returns a symbolic link member; target is kept as it is.
func NewSymlink(name, target string, mtime time.Time) (Member, error) {
	if target == "" || strings.IndexByte(target, 0) >= 0 {
		return Member{}, fmt.Errorf("member %q: %q is no target of a symbolic link", name, target)
	}
	return checked(Member{Name: name, Kind: Symlink, Perm: 0o777, ModTime: mtime, Target: target})
}

// NewHardLink returns m as a hard link to the regular member target. It keeps its
// content, which is not stored again. Target must come before it in byte order, as
// the bytes of a link do in an archive.
func NewHardLink(m Member, target string) (Member, error) {
	if m.Kind != Regular {
		return Member{}, fmt.Errorf("member %q: only a regular file can be a hard link", m.Name)
	}
	if target == "" || target >= m.Name {
		return Member{}, fmt.Errorf("member %q: a hard link to %q, which does not come before it", m.Name, target)
	}
	m.Kind, m.Target = HardLink, target
	return checked(m)
}

// NewFifo returns a fifo member.
func NewFifo(name string, perm uint32, mtime time.Time) (Member, error) {
	return checked(Member{Name: name, Kind: Fifo, Perm: perm, ModTime: mtime})
}

// NewDevice returns the member of a device, whose kind is CharDevice or BlockDevice.
func NewDevice(name string, kind Kind, perm uint32, mtime time.Time, major, minor uint32) (Member, error) {
	if kind != CharDevice && kind != BlockDevice {
		return Member{}, fmt.Errorf("member %q: kind %d is no device", name, kind)
	}
	return checked(Member{Name: name, Kind: kind, Perm: perm, ModTime: mtime, Major: major, Minor: minor})
}

// WithOwner returns the member with another owner than root.
func (m Member) WithOwner(uid, gid uint32) Member {
	m.UID, m.GID = uid, gid
	return m
}

func checked(m Member) (Member, error) {
	if err := checkName(m.Name); err != nil {
		return Member{}, fmt.Errorf("member %q: %w", m.Name, err)
	}
	if m.Perm&^0o7777 != 0 {
		return Member{}, fmt.Errorf("member %q: %#o are not permission bits", m.Name, m.Perm)
	}
	return m, nil
}

// checkName accepts the relative names whose every part can be a file name
// below a directory that tar unpacks into.
func checkName(name string) error {
	if name == "" || name == "." || name != path.Clean(name) || name[0] == '/' {
		return errors.New("not a clean relative path")
	}
	if strings.IndexByte(name, 0) >= 0 {
		return errors.New("holds a NUL byte")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return errors.New("leads out of the bundle")
		}
		if len(part) > 255 {
			return fmt.Errorf("a name of %d bytes is longer than a file name can be (255)", len(part))
		}
	}
	return nil
}

// checkLinks returns an error if a hard link among sorted members has no regular member
// before it to share its bytes with.
func checkLinks(ms []Member) error {
	if !slices.ContainsFunc(ms, func(m Member) bool { return m.Kind == HardLink }) {
		return nil
	}
	regular := map[string]int64{}
	for _, m := range ms {
		switch m.Kind {
		case Regular:
			regular[m.Name] = m.Content.Size()
		case HardLink:
			if size, found := regular[m.Target]; !found || size != m.Content.Size() {
				return fmt.Errorf("member %s: no file %s of its size comes before it", m.Name, m.Target)
			}
		}
	}
	return nil
}

// sortMembers orders members by name, the manifest before everything else
// because imgimport and people look for it first. A directory precedes what
// it holds, for its name is a prefix.
func sortMembers(ms []Member) {
	sort.SliceStable(ms, func(i, j int) bool {
		if a, b := ms[i].Name == Manifest, ms[j].Name == Manifest; a != b {
			return a
		}
		return ms[i].Name < ms[j].Name
	})
}

// Manifest is the name of the member that describes the image.
const Manifest = "manifest.xml"
