package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// entryOf is a cpio entry as this test's own reader finds it.
type entryOf struct {
	name                           string
	ino, mode, uid, gid, nlink     uint64
	mtime, size, rmajor, rminor    uint64
	devmajor, devminor, check, off uint64
	data                           []byte
}

// readNewc reads an archive in newc format and demands all its padding.
func readNewc(t *testing.T, b []byte) []entryOf {
	t.Helper()
	if len(b)%512 != 0 {
		t.Errorf("%d bytes are no whole number of blocks", len(b))
	}
	var list []entryOf
	for off := 0; ; {
		if string(b[off:off+6]) != "070701" {
			t.Fatalf("no magic at %d", off)
		}
		e := entryOf{off: uint64(off)}
		fields := []*uint64{&e.ino, &e.mode, &e.uid, &e.gid, &e.nlink, &e.mtime, &e.size, &e.devmajor, &e.devminor, &e.rmajor, &e.rminor, nil, &e.check}
		namesize := uint64(0)
		fields[11] = &namesize
		for i, f := range fields {
			v, err := strconv.ParseUint(string(b[off+6+8*i:off+14+8*i]), 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			*f = v
		}
		name := b[off+110 : off+110+int(namesize)]
		if name[len(name)-1] != 0 {
			t.Fatalf("name %q does not end", name)
		}
		e.name = string(name[:len(name)-1])
		data := (off + 110 + int(namesize) + 3) &^ 3
		e.data = b[data : data+int(e.size)]
		off = (data + int(e.size) + 3) &^ 3
		if e.name == "TRAILER!!!" {
			if rest := b[off:]; len(rest) >= 512 || len(bytes.Trim(rest, "\x00")) > 0 {
				t.Errorf("%d bytes behind the trailer", len(rest))
			}
			return list
		}
		list = append(list, e)
	}
}

func treeBytes(t *testing.T, tree *Tree) []byte {
	t.Helper()
	packed := make([]byte, tree.Size())
	if _, err := tree.ReadAt(packed, 0); err != nil {
		t.Fatal(err)
	}
	return gunzip(t, packed)
}

func TestTreeHoldsEveryKindOfFile(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make devices")
	}
	root := siteRoot(t, t.TempDir())
	top := root.Dir() + "/img/rootimg"
	writeFile(t, top+"/etc/passwd", []byte("root:x:0:0\n"))
	writeFile(t, top+"/etc/new\nline", []byte("odd"))
	writeFile(t, top+"/bin/su", []byte("su"))
	writeFile(t, top+"/empty", nil)
	when := time.Unix(1580702700, 999)
	if err := errors.Join(
		os.Link(top+"/etc/passwd", top+"/bin/link1"),
		os.Link(top+"/etc/passwd", top+"/usr-link"),
		os.Link(top+"/bin/su", root.Dir()+"/outside"),
		os.Symlink("/nonexistent", top+"/etc/dangling"),
		unix.Mknod(top+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))),
		unix.Mkfifo(top+"/fifo", 0o600),
		os.Chown(top+"/bin/su", 1000, 1001),
		unix.Chmod(top+"/bin/su", 0o4755),
		os.Chtimes(top+"/empty", when, when),
	); err != nil {
		t.Fatal(err)
	}
	tree, sentences, err := NewTree(context.Background(), root, "/img", "rootimg")
	if err != nil || len(sentences) > 0 {
		t.Fatal(err, sentences)
	}
	entries := readNewc(t, treeBytes(t, tree))
	var names []string
	by := map[string]entryOf{}
	for _, e := range entries {
		names = append(names, e.name)
		by[e.name] = e
	}
	want := []string{"rootimg", "rootimg/bin", "rootimg/bin/link1", "rootimg/bin/su", "rootimg/empty", "rootimg/etc", "rootimg/etc/dangling", "rootimg/etc/new\nline", "rootimg/etc/passwd", "rootimg/fifo", "rootimg/null", "rootimg/usr-link"}
	if !slices.Equal(names, want) || tree.Len() != len(want) {
		t.Fatalf("entries %q", names)
	}
	if e := by["rootimg/bin/su"]; e.mode != unix.S_IFREG|0o4755 || e.uid != 1000 || e.gid != 1001 || e.nlink != 1 || string(e.data) != "su" {
		t.Errorf("su: %+v", e)
	}
	if e := by["rootimg/null"]; e.mode&unix.S_IFMT != unix.S_IFCHR || e.rmajor != 1 || e.rminor != 3 {
		t.Errorf("null: %+v", e)
	}
	if e := by["rootimg/etc/dangling"]; string(e.data) != "/nonexistent" || e.mode&unix.S_IFMT != unix.S_IFLNK {
		t.Errorf("dangling: %+v", e)
	}
	if e := by["rootimg/empty"]; e.mtime != 1580702700 || e.size != 0 {
		t.Errorf("empty: %+v", e)
	}
	first, second, last := by["rootimg/bin/link1"], by["rootimg/etc/passwd"], by["rootimg/usr-link"]
	if first.ino != last.ino || second.ino != last.ino || first.nlink != 3 || first.size != 0 || second.size != 0 || string(last.data) != "root:x:0:0\n" {
		t.Errorf("hard links: %+v %+v %+v", first, second, last)
	}
}

func TestTreeSaysWhatItCannotHold(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	top := root.Dir() + "/rootimg"
	writeFile(t, top+"/bin/ping", []byte("ping"))
	writeFile(t, top+"/init", []byte("init"))
	for _, name := range []string{"/bin/ping", "/init"} {
		if err := unix.Setxattr(top+name, "user.note", []byte("x"), 0); err != nil {
			t.Skipf("no extended attributes here: %v", err)
		}
	}
	_, sentences, err := NewTree(context.Background(), root, "/", "rootimg")
	if err != nil || len(sentences) != 1 || !strings.Contains(sentences[0], "user.note of 2 files") || !strings.Contains(sentences[0], "first: rootimg/bin/ping") {
		t.Errorf("%q, %v", sentences, err)
	}
}

func TestTreesThatCannotBePackedAreErrors(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/file/rootimg", nil)
	writeFile(t, root.Dir()+"/big/rootimg/image", nil)
	if err := os.Truncate(root.Dir()+"/big/rootimg/image", 4<<30); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"/none": "no such file",
		"/file": "not a directory",
		"/big":  "4 GiB",
	} {
		if _, _, err := NewTree(context.Background(), root, dir, "rootimg"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := NewTree(ctx, root, "/big", "rootimg"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestLargeAndSmallFilesOfATreeComeOutWhole(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	want := map[string][]byte{}
	for i := range 200 {
		name := fmt.Sprintf("rootimg/d%d/f%03d", i%7, i)
		size := r.IntN(20_000)
		if i%50 == 0 {
			size = largeMin - 2 + r.IntN(3*segmentMax)
		}
		want[name] = prose(r, size)
		writeFile(t, root.Dir()+"/"+name, want[name])
	}
	tree, _, err := NewTree(context.Background(), root, "", "rootimg")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range readNewc(t, treeBytes(t, tree)) {
		if e.mode&unix.S_IFMT == unix.S_IFREG && !bytes.Equal(e.data, want[e.name]) {
			t.Errorf("%s: %d bytes, want %d", e.name, len(e.data), len(want[e.name]))
		}
	}
	for _, c := range tree.chunks {
		if c.size() > segmentMax || c.size() <= 0 {
			t.Errorf("chunk of %d bytes", c.size())
		}
	}
	// A bundle of it is a tar that holds the same bytes.
	m, err := NewRegular("rootimgtree.gz", 0o644, time.Time{}, tree)
	if err != nil {
		t.Fatal(err)
	}
	b := newBundle(t, newEngine(t, EngineOptions{}), "foo", m)
	if err := b.WriteTo(context.Background(), io.Discard, nil); err != nil {
		t.Fatal(err)
	}
}

func TestTheArchiveIsLaidOutAsItsHeadersAreLong(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	for range r.IntN(30) {
		name := strings.Repeat("d", 1+r.IntN(9)) + "/" + strings.Repeat("f", 1+r.IntN(60))
		writeFile(t, root.Dir()+"/rootimg/"+name, prose(r, r.IntN(2000)))
	}
	writeFile(t, root.Dir()+"/rootimg/"+strings.Repeat("n", 1+r.IntN(200)), noise(r, r.IntN(2000)))
	tree, _, err := NewTree(context.Background(), root, "/", "rootimg")
	if err != nil {
		t.Fatal(err)
	}
	for i := range tree.nodes.count() {
		if head, err := tree.nodes.head(i); err != nil || int64(len(head)) != tree.nodes.headSize(i) {
			t.Errorf("%s: a header of %d bytes, %v, and %d were counted", tree.nodes.name(i), len(head), err, tree.nodes.headSize(i))
		}
	}
}

func TestTheErrorOfAWalkIsTheFirstInOrder(t *testing.T) {
	for name, huge := range map[string][]string{
		// One goroutine meets the last one first.
		"deep before top": {"rootimg/b/c/d/e/huge", "rootimg/z-huge"},
		"top before deep": {"rootimg/a-huge", "rootimg/b/huge"},
		"two deep ones":   {"rootimg/b/c/d/e/f/huge", "rootimg/c/huge"},
		"one file":        {"rootimg/b/x", "rootimg/b/y"},
	} {
		t.Run(name, func(t *testing.T) {
			root := siteRoot(t, t.TempDir())
			for _, path := range huge {
				writeFile(t, root.Dir()+"/"+path, nil)
				if err := os.Truncate(root.Dir()+"/"+path, 4<<30); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 20 {
				_, _, err := NewTree(context.Background(), root, "", "rootimg")
				if err == nil || !strings.HasPrefix(err.Error(), huge[0]+" has") {
					t.Fatalf("walk %d: %v", i, err)
				}
			}
		})
	}
}
