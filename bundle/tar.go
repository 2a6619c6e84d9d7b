package bundle

import (
	"archive/tar"
	"bytes"
	"fmt"
	"time"
)

// tarEntries are the members as a tar archive: "./", "./NAME/", the members,
// and the two zero blocks that end it.
type tarEntries struct {
	top     string
	members []Member
	newest  time.Time // of generated members
}

// The entries before the members and the end of the archive behind them.
const leadingEntries = 2

func (t *tarEntries) count() int        { return leadingEntries + len(t.members) + 1 }
func (t *tarEntries) align(_ int) int64 { return tarBlock }

func (t *tarEntries) isEnd(i int) bool { return i == t.count()-1 }

func (t *tarEntries) name(i int) string {
	switch {
	case t.isEnd(i):
		return "end of archive"
	case i == 0:
		return "./"
	case i == 1:
		return "./" + t.top + "/"
	}
	m := t.members[i-leadingEntries]
	if m.Kind == Directory {
		return t.pathOf(m.Name) + "/"
	}
	return t.pathOf(m.Name)
}

// pathOf is the path of a member in the archive.
func (t *tarEntries) pathOf(name string) string { return "./" + t.top + "/" + name }

func (t *tarEntries) bodySize(i int) int64 {
	if content := t.body(i); content != nil {
		return content.Size()
	}
	return 0
}

func (t *tarEntries) body(i int) Content {
	if i < leadingEntries || t.isEnd(i) {
		return nil
	}
	m := t.members[i-leadingEntries]
	if m.Kind == HardLink {
		return nil // an earlier entry has it
	}
	return m.Content
}

func (t *tarEntries) headSize(i int) int64 {
	if t.isEnd(i) {
		return 2 * tarBlock
	}
	return tarHeadSize(t.name(i), t.link(i))
}

// link is where a symbolic or hard link leads; "" if entry i is neither.
func (t *tarEntries) link(i int) string {
	if i < leadingEntries {
		return ""
	}
	switch m := t.members[i-leadingEntries]; m.Kind {
	case Symlink:
		return m.Target
	case HardLink:
		return t.pathOf(m.Target)
	}
	return ""
}

func (t *tarEntries) head(i int) ([]byte, error) {
	switch {
	case t.isEnd(i):
		return make([]byte, 2*tarBlock), nil
	case i < leadingEntries:
		return tarHead(t.name(i), "", Member{Kind: Directory, Perm: 0o755}, t.newest)
	}
	m := t.members[i-leadingEntries]
	return tarHead(t.name(i), t.link(i), m, modTime(m, t.newest))
}

// modTime is the time of a member in the archive, in whole seconds.
func modTime(m Member, newest time.Time) time.Time {
	if m.ModTime.IsZero() {
		return newest
	}
	return m.ModTime.Truncate(time.Second)
}

// tarHead returns all header blocks of one entry. The format is GNU's, which
// imgexport's tar writes too: unlike PAX it keeps names that are not ASCII
// in the header that every reader looks at (busybox tar skips PAX records
// and would unpack such a name with letters missing).
func tarHead(name, link string, m Member, mtime time.Time) ([]byte, error) {
	h := tar.Header{
		Format:   tar.FormatGNU,
		Name:     name,
		Linkname: link,
		Mode:     int64(m.Perm),
		Uid:      int(m.UID),
		Gid:      int(m.GID),
		ModTime:  mtime,
	}
	// A name only where every host agrees on it.
	if m.UID == 0 {
		h.Uname = "root"
	}
	if m.GID == 0 {
		h.Gname = "root"
	}
	switch m.Kind {
	case Directory:
		h.Typeflag = tar.TypeDir
	case Symlink:
		h.Typeflag = tar.TypeSymlink
	case Regular:
		h.Typeflag, h.Size = tar.TypeReg, m.Content.Size()
	case HardLink:
		h.Typeflag = tar.TypeLink
	case Fifo:
		h.Typeflag = tar.TypeFifo
	case CharDevice:
		h.Typeflag, h.Devmajor, h.Devminor = tar.TypeChar, int64(m.Major), int64(m.Minor)
	case BlockDevice:
		h.Typeflag, h.Devmajor, h.Devminor = tar.TypeBlock, int64(m.Major), int64(m.Minor)
	default:
		return nil, fmt.Errorf("kind %d is not a kind of member", m.Kind)
	}
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&h); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
