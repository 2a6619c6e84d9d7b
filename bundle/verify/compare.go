package verify

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"imgexportfs/bundle"
)

// Reference is what a site would export now.
type Reference struct {
	Members []bundle.Member
	// Extras says that the members of -e are among them.
	Extras bool
}

// Difference is a member that a bundle and its reference do not share.
type Difference struct {
	Member string `json:"member"`
	What   string `json:"what"` // "new", "gone", "content", "size", "mode", "time"...
}

// comparison compares the members of one archive with a reference.
type comparison struct {
	foreign bool // the bundle of another program: times do not count
	extras  bool
	top     string
	want    map[string]bundle.Member
	seen    map[string]bool
	found   []Difference
	rows    []string
}

func newComparison(ref *Reference, top string, foreign bool) *comparison {
	c := &comparison{foreign: foreign, extras: ref.Extras, top: top, want: map[string]bundle.Member{}, seen: map[string]bool{}}
	for _, m := range ref.Members {
		c.want[m.Name] = m
	}
	return c
}

func (c *comparison) differs(name, what string) {
	c.found = append(c.found, Difference{name, what})
}

// ignores reports whether a member or row is one of -e that there is no reference for.
func (c *comparison) ignores(name string) bool {
	return !c.extras && (name == extraName || strings.HasPrefix(name, extraName+"/") || strings.HasPrefix(name, extraName+"["))
}

// member compares one member. The error is that of the bundle or of the reference.
func (c *comparison) member(ctx context.Context, name string, h *tar.Header, body io.Reader) error {
	if c.ignores(name) {
		return nil
	}
	want, known := c.want[name]
	if !known {
		if len(c.found) < listedMax {
			c.differs(name, "gone")
		}
		return nil
	}
	c.seen[name] = true
	if c.foreign && (name == treeName || want.Kind == bundle.HardLink || h.Typeflag == tar.TypeLink) {
		return nil // another cpio and gzip make other bytes; other orders make other links
	}
	if what := c.headDiffers(h, want); what != "" {
		c.differs(name, what)
		return nil
	}
	if want.Kind != bundle.Regular {
		return nil
	}
	same, err := sameContent(ctx, body, want.Content)
	if err == nil && !same {
		c.differs(name, "content")
	}
	return err
}

// treeName is the member with the root tree of a statelite image.
const treeName = "rootimgtree.gz"

// headDiffers returns what of a member's header differs, "" if nothing does.
func (c *comparison) headDiffers(h *tar.Header, want bundle.Member) string {
	target := want.Target
	if want.Kind == bundle.HardLink {
		target = "./" + c.top + "/" + target
	}
	size := int64(0)
	if want.Kind == bundle.Regular {
		size = want.Content.Size()
	}
	isDevice := want.Kind == bundle.CharDevice || want.Kind == bundle.BlockDevice
	generated := want.ModTime.IsZero() // its time is the newest of others
	switch {
	case h.Typeflag != typeflags[want.Kind]:
		return "type"
	case h.Size != size:
		return "size"
	case h.Linkname != target:
		return "target"
	case isDevice && (h.Devmajor != int64(want.Major) || h.Devminor != int64(want.Minor)):
		return "device"
	case h.Mode&0o7777 != int64(want.Perm):
		return "mode"
	case c.foreign:
		return ""
	case h.Uid != int(want.UID) || h.Gid != int(want.GID):
		return "owner"
	case !generated && h.ModTime.Unix() != want.ModTime.Unix():
		return "time"
	}
	return ""
}

var typeflags = map[bundle.Kind]byte{
	bundle.Directory: tar.TypeDir, bundle.Regular: tar.TypeReg, bundle.Symlink: tar.TypeSymlink, bundle.HardLink: tar.TypeLink,
	bundle.Fifo: tar.TypeFifo, bundle.CharDevice: tar.TypeChar, bundle.BlockDevice: tar.TypeBlock,
}

// text compares a generated member by its rows.
func (c *comparison) text(name string, text []byte, rowsOf func(have, want []byte) ([]string, error)) error {
	want, known := c.want[name]
	made, isText := want.Content.(bundle.Bytes)
	if !known || !isText {
		c.differs(name, "gone")
		return nil
	}
	c.seen[name] = true
	if bytes.Equal(text, made) {
		return nil
	}
	rows, err := rowsOf(text, made)
	c.rows = append(c.rows, rows...)
	return err
}

// manifestRows are the rows that differ in two manifests.
func (c *comparison) manifestRows(have *Manifest) func(_, want []byte) ([]string, error) {
	return func(_, text []byte) ([]string, error) {
		want, err := parseManifest(text)
		if err != nil {
			return nil, fmt.Errorf("BUG: manifest of the site: %w", err)
		}
		return differentRows(have, want, c.ignores), nil
	}
}

// litefileRows are the files whose lines differ in two litefile.csv.
func litefileRows(have, want []byte) ([]string, error) {
	a, b := litefileLines(have), litefileLines(want)
	files := map[string]bool{}
	for line := range a {
		if !b[line] {
			files[litefileOf(line)] = true
		}
	}
	for line := range b {
		if !a[line] {
			files[litefileOf(line)] = true
		}
	}
	rows := slices.Sorted(maps.Keys(files))
	if len(rows) == 0 {
		rows = []string{"litefile (order)"}
	}
	return rows, nil
}

func litefileLines(text []byte) map[string]bool {
	lines := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		lines[line] = true
	}
	return lines
}

func litefileOf(line string) string {
	parts := strings.SplitN(line, `","`, 3)
	if len(parts) < 3 {
		return "litefile"
	}
	return "litefile[" + parts[1] + "]"
}

// end adds what the reference has and the archive has not, and returns all differences.
func (c *comparison) end() []Difference {
	for _, name := range slices.Sorted(maps.Keys(c.want)) {
		if !c.seen[name] && !c.ignores(name) {
			c.differs(name, "new")
		}
	}
	return c.found
}
