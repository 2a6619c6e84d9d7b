package integration

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// newcEntry is one entry of a cpio archive of format newc (magic 070701), as
// cpio(5) describes it.
type newcEntry struct {
	name                       string
	ino, mode, uid, gid, nlink uint64
	mtime, size                uint64
	devMajor, devMinor         uint64
	rdevMajor, rdevMinor       uint64
	hash                       string // first 16 digits of the SHA-256 of the data
	target                     string // of a symbolic link
}

const (
	typeMask    = 0o170000
	typeRegular = 0o100000
	typeLink    = 0o120000
	typeChar    = 0o020000
	typeBlock   = 0o060000
)

// readNewc reads an archive strictly: to its TRAILER!!!, and nothing but zero
// bytes after that. The trailer is not returned.
func readNewc(r io.Reader) ([]newcEntry, error) {
	in := &counter{r: bufio.NewReaderSize(r, 1<<16)}
	var entries []newcEntry
	for {
		e, err := readNewcEntry(in)
		if err != nil {
			return nil, fmt.Errorf("cpio entry %d at byte %d: %w", len(entries), in.n, err)
		}
		if e.name == "TRAILER!!!" {
			if e.nlink != 1 || e.size != 0 {
				return nil, fmt.Errorf("TRAILER!!! with nlink %d and size %d, want 1 and 0", e.nlink, e.size)
			}
			return entries, in.zerosToEnd()
		}
		entries = append(entries, e)
	}
}

func readNewcEntry(in *counter) (newcEntry, error) {
	var e newcEntry
	header := make([]byte, 110)
	if _, err := io.ReadFull(in, header); err != nil {
		return e, err
	}
	if string(header[:6]) != "070701" {
		return e, fmt.Errorf("magic %q", header[:6])
	}
	var nameSize, check uint64
	fields := []*uint64{
		&e.ino, &e.mode, &e.uid, &e.gid, &e.nlink, &e.mtime, &e.size,
		&e.devMajor, &e.devMinor, &e.rdevMajor, &e.rdevMinor, &nameSize, &check,
	}
	for i, field := range fields {
		v, err := strconv.ParseUint(string(header[6+8*i:14+8*i]), 16, 32)
		if err != nil {
			return e, fmt.Errorf("field %d: %w", i, err)
		}
		*field = v
	}
	if check != 0 || nameSize == 0 {
		return e, fmt.Errorf("check sum %d and name size %d, want 0 and more than 0", check, nameSize)
	}
	name := make([]byte, nameSize)
	if _, err := io.ReadFull(in, name); err != nil {
		return e, err
	}
	if bytes.IndexByte(name, 0) != len(name)-1 {
		return e, fmt.Errorf("name %q does not end with its only NUL", name)
	}
	e.name = string(name[:len(name)-1])
	if err := in.align(); err != nil {
		return e, err
	}
	if err := e.readData(in); err != nil {
		return e, err
	}
	return e, in.align()
}

func (e *newcEntry) readData(in *counter) error {
	if e.mode&typeMask == typeLink {
		target := make([]byte, e.size)
		_, err := io.ReadFull(in, target)
		e.target = string(target)
		return err
	}
	hash := sha256.New()
	if _, err := io.CopyN(hash, in, int64(e.size)); err != nil {
		return err
	}
	e.hash = fmt.Sprintf("%x", hash.Sum(nil))[:16]
	return nil
}

// describeNewc writes entries as the lines of rootimgtree.txt, sorted. The
// names of one file, which share an inode number, all show its data, that only
// one of them carries.
func describeNewc(entries []newcEntry) ([]string, error) {
	type file struct{ major, minor, ino uint64 }
	key := func(e newcEntry) file { return file{e.devMajor, e.devMinor, e.ino} }
	data := map[file]newcEntry{}
	names := map[file]uint64{}
	for _, e := range entries {
		if e.mode&typeMask != typeRegular {
			continue
		}
		names[key(e)]++
		if held, ok := data[key(e)]; !ok || held.size == 0 {
			data[key(e)] = e
		} else if e.size != 0 {
			return nil, fmt.Errorf("%q carries its data again", e.name)
		}
	}
	var lines []string
	for _, e := range entries {
		line := fmt.Sprintf("%06o %d:%d %s nlink:", e.mode, e.uid, e.gid, quoteLikePython(e.name))
		switch e.mode & typeMask {
		case typeRegular:
			held := data[key(e)]
			if names[key(e)] != e.nlink {
				return nil, fmt.Errorf("%q says it has %d names, the archive holds %d", e.name, e.nlink, names[key(e)])
			}
			line += fmt.Sprintf("%d sha256:%s size:%d", e.nlink, held.hash, held.size)
		case typeLink:
			line += "0 -> " + e.target
		case typeChar, typeBlock:
			line += fmt.Sprintf("0 dev %d,%d", e.rdevMajor, e.rdevMinor)
		default:
			line += "0 "
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines, nil
}

// quoteLikePython writes a name as the recorded lines do.
func quoteLikePython(name string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(name) + "'"
}

// counter knows how far it has read, for alignment.
type counter struct {
	r *bufio.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// align skips to a multiple of 4; what is skipped must be zero.
func (c *counter) align() error {
	pad := make([]byte, (4-c.n%4)%4)
	if _, err := io.ReadFull(c, pad); err != nil {
		return err
	}
	if strings.Trim(string(pad), "\x00") != "" {
		return fmt.Errorf("padding is %q, not zeros", pad)
	}
	return nil
}

func (c *counter) zerosToEnd() error {
	for {
		b, err := c.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if b != 0 {
			return fmt.Errorf("byte %#x after TRAILER!!!", b)
		}
	}
}

func TestNewcReaderAgreesWithCpio(t *testing.T) {
	needTools(t, "cpio")
	dir := t.TempDir()
	for name, data := range map[string]string{"a": "alpha", "d/odd name": "abcde", "d/empty": ""} {
		path := filepath.Join(dir, "tree", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "tree/a"), filepath.Join(dir, "tree/z")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", filepath.Join(dir, "tree/link")); err != nil {
		t.Fatal(err)
	}
	archive := shell(t, dir, "find tree | LC_ALL=C sort | cpio --quiet -H newc -o")
	entries, err := readNewc(strings.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	got, err := describeNewc(entries)
	if err != nil {
		t.Fatal(err)
	}
	owner := fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())
	want := []string{
		"040755 " + owner + " 'tree' nlink:0 ",
		"040755 " + owner + " 'tree/d' nlink:0 ",
		"100640 " + owner + " 'tree/a' nlink:2 sha256:8ed3f6ad685b959e size:5",
		"100640 " + owner + " 'tree/d/empty' nlink:1 sha256:e3b0c44298fc1c14 size:0",
		"100640 " + owner + " 'tree/d/odd name' nlink:1 sha256:36bbe50ed96841d1 size:5",
		"100640 " + owner + " 'tree/z' nlink:2 sha256:8ed3f6ad685b959e size:5",
		"120777 " + owner + " 'tree/link' nlink:0 -> a",
	}
	expectLines(t, "entries", got, want)
	for _, cut := range []int{len(archive) / 2, strings.Index(archive, "TRAILER!!!")} {
		if _, err := readNewc(strings.NewReader(archive[:cut])); err == nil {
			t.Errorf("an archive cut at byte %d is read without an error", cut)
		}
	}
	if _, err := readNewc(strings.NewReader(archive + "x")); err == nil {
		t.Error("garbage after the archive is read without an error")
	}
}
