package source

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// fileOf is a file of the root as it is now.
func fileOf(t *testing.T, root *Root, path string) *File {
	t.Helper()
	st, err := root.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFile(root, path, st)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAHandleReadsItsStateOrNothing(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"rewritten": func(path string) error { return os.WriteFile(path, []byte("other"), 0o644) },
		"longer":    func(path string) error { return os.Truncate(path, 100) },
		"shorter":   func(path string) error { return os.Truncate(path, 2) },
		"chmod":     func(path string) error { return os.Chmod(path, 0o600) },
	} {
		root := siteRoot(t, t.TempDir())
		path := filepath.Join(root.Dir(), "file")
		writeFile(t, path, []byte("bytes"))
		f := fileOf(t, root, "/file")
		h, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 10)
		if n, err := h.ReadAt(p, 2); n != 3 || err != nil || string(p[:n]) != "tes" {
			t.Errorf("%q, %v", p[:n], err)
		}
		if n, err := h.ReadAt(p, 5); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d, %v", n, err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if n, err := h.ReadAt(p, 0); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
		if n, err := f.ReadAt(p[:2], 0); !errors.Is(err, ErrChanged) {
			t.Errorf("%s, opened again: %d bytes, %v", name, n, err)
		}
		if again, err := f.Open(); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: opened as %v, %v", name, again, err)
		}
		_ = h.Close()
	}
}

// A file that has grown while it is read shows no more than it had.
func TestAHandleEndsWhereItsFileEnded(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	path := filepath.Join(root.Dir(), "file")
	writeFile(t, path, []byte("bytes"))
	h, err := fileOf(t, root, "/file").Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	if n, _ := h.ReadAt(p, 0); n != 5 {
		t.Errorf("%d bytes of 5", n)
	}
}

// Holes of a file that has changed say nothing of the planned one.
func TestHolesOfAnotherStateDoNotCount(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	path := filepath.Join(root.Dir(), "disk")
	const size = 8 << 20
	writeFile(t, path, make([]byte, 1<<20))
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	var raw unix.Stat_t
	if err := unix.Stat(path, &raw); err != nil || raw.Blocks*512 >= raw.Size {
		t.Skipf("this file system has no holes: %+v, %v", raw, err)
	}
	if f := fileOf(t, root, "/disk"); f.IsHole(0, 1<<20) || !f.IsHole(4<<20, 5<<20) {
		t.Fatal("data and holes are not told apart")
	}
	f := fileOf(t, root, "/disk")
	writeFile(t, path, nil)
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	if f.IsHole(0, 1<<20) {
		t.Error("data of the planned state is taken for a hole")
	}
}

// A range is a hole only if there is no data from its start to its end.
func TestARangeWithDataAnywhereIsNoHole(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	path := filepath.Join(root.Dir(), "disk")
	const mib, block = 1 << 20, 64 << 10
	writeFile(t, path, nil)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := f.WriteAt(make([]byte, block), 2*mib+4*block)
	if err := errors.Join(err1, f.Truncate(8*mib), f.Close()); err != nil {
		t.Fatal(err)
	}
	disk := fileOf(t, root, "/disk")
	if !disk.IsHole(4*mib, 5*mib) {
		t.Skip("this file system has no holes")
	}
	for _, c := range []struct {
		off, end int64
		hole     bool
	}{
		{0, mib, true}, {mib, 2 * mib, true}, {2 * mib, 3 * mib, false}, {0, 8 * mib, false}, {3 * mib, 8 * mib, true},
		{2 * mib, 2*mib + 4*block, true}, {2 * mib, 2*mib + 4*block + 1, false}, {2*mib + 4*block, 2*mib + 5*block, false},
		{2*mib + 5*block - 1, 3 * mib, false}, {2*mib + 5*block, 3 * mib, true},
	} {
		if got := disk.IsHole(c.off, c.end); got != c.hole {
			t.Errorf("from %d to %d: a hole %v", c.off, c.end, got)
		}
	}
}
