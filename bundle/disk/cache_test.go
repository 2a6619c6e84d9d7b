package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle/blocks"
)

const most = 1 << 20

func alloc(n int64) []byte { return make([]byte, n) }

// poison takes memory back, so that nobody reads it any more.
func poison(b []byte) { clear(b[:cap(b)]) }

func segment(i int) (blocks.Key, []byte) {
	return blocks.Key{byte(i), byte(i >> 8), 7}, bytes.Repeat([]byte{byte(i), 1, 2}, 3000)
}

func open(t *testing.T, dir string, size int64) *Cache {
	t.Helper()
	c := Open(Options{Dir: dir, Size: size, Get: alloc, Put: poison, Warn: func(err error) { t.Errorf("warning: %v", err) }})
	t.Cleanup(c.Close)
	return c
}

// fill puts segments into the cache of dir, and returns when they are written.
func fill(t *testing.T, dir string, size int64, segments ...int) {
	t.Helper()
	c := open(t, dir, size)
	for _, i := range segments {
		k, data := segment(i)
		for len(c.writes) == cap(c.writes) {
			time.Sleep(time.Millisecond)
		}
		c.Put(k, data)
	}
	c.Close()
}

func files(t *testing.T, dir string) (paths []string, total int64) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			info, _ := d.Info()
			paths, total = append(paths, path), total+info.Size()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return paths, total
}

func TestSegmentsSurviveTheProcess(t *testing.T) {
	dir := t.TempDir() + "/cache"
	fill(t, dir, 1<<30, 1, 2, 3)
	c := open(t, dir, 1<<30)
	for i := 1; i <= 3; i++ {
		k, want := segment(i)
		if got, ok := c.Get(k, most); !ok || !bytes.Equal(got, want) {
			t.Errorf("segment %d: %d bytes, %v", i, len(got), ok)
		}
		if n, ok := c.Length(k); !ok || n != int64(len(want)) {
			t.Errorf("segment %d: length %d, %v", i, n, ok)
		}
	}
	k, _ := segment(4)
	if _, ok := c.Get(k, most); ok {
		t.Error("a segment that was never put is there")
	}
	paths, _ := files(t, dir)
	for _, path := range append(paths, filepath.Dir(paths[0]), dir+"/segments", dir) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v, %v", path, info.Mode(), err)
		}
	}
}

func TestWhatIsNotRightIsAsIfItWereNotThere(t *testing.T) {
	k, data := segment(1)
	other, otherData := segment(2)
	flip := func(at int) func(path string) error {
		return func(path string) error {
			b, err := os.ReadFile(path)
			b[(at+len(b))%len(b)] ^= 0x10
			return errors.Join(err, os.WriteFile(path, b, 0o600))
		}
	}
	for name, damage := range map[string]func(path string) error{
		"empty":                 func(path string) error { return os.Truncate(path, 0) },
		"cut in the header":     func(path string) error { return os.Truncate(path, 20) },
		"cut in the data":       func(path string) error { return os.Truncate(path, 5000) },
		"longer":                func(path string) error { return os.Truncate(path, 20_000) },
		"much longer":           func(path string) error { return os.Truncate(path, 1<<40) },
		"magic flipped":         flip(0),
		"checksum flipped":      flip(len(magic)),
		"length flipped":        flip(len(magic) + 4),
		"key flipped":           flip(len(magic) + 10),
		"first byte flipped":    flip(headerSize),
		"last byte flipped":     flip(-1),
		"exchanged":             func(path string) error { return writeFile(path, other, otherData) },
		"a fifo":                func(path string) error { return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)) },
		"a directory":           func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a link to the right":   func(path string) error { return errors.Join(os.Rename(path, path+"x"), os.Symlink(path+"x", path)) },
		"a link to a device":    func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) },
		"gone":                  os.Remove,
		"its directory is gone": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, 1<<30, 1)
			c := open(t, dir, 1<<30)
			if err := damage(c.path(k)); err != nil {
				t.Fatal(err)
			}
			if got, ok := c.Get(k, most); ok {
				t.Fatalf("%d bytes are taken from it", len(got))
			}
			if name == "a directory" {
				return // in its place nothing can be written
			}
			c.Close()
			fill(t, dir, 1<<30, 1)
			if got, ok := open(t, dir, 1<<30).Get(k, most); !ok || !bytes.Equal(got, data) {
				t.Error("it is not written again")
			}
		})
	}
}

func TestTheCacheStaysWithinItsSizeAndLosesWhatWasNotUsed(t *testing.T) {
	dir := t.TempDir()
	const size = 40 * 9100
	var all []int
	for i := range 30 {
		all = append(all, i)
	}
	fill(t, dir, size, all...)
	// All are old, and the first ten have been used since.
	c := open(t, dir, size)
	paths, _ := files(t, dir)
	old := time.Now().Add(-48 * time.Hour)
	for _, path := range paths {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		k, _ := segment(i)
		if _, ok := c.Get(k, most); !ok {
			t.Fatalf("segment %d is gone", i)
		}
	}
	c.Close()
	var more []int
	for i := range 60 {
		more = append(more, 100+i)
		fill(t, dir, size, 100+i)
		if _, total := files(t, dir); total > size {
			t.Fatalf("%d bytes on disk, the limit is %d", total, size)
		}
		if i == 15 {
			for j := range 10 {
				k, _ := segment(j)
				if _, ok := c.Get(k, most); !ok {
					t.Errorf("segment %d, which was used, went before others", j)
				}
			}
		}
	}
	k, _ := segment(more[len(more)-1])
	if _, ok := c.Get(k, most); !ok {
		t.Error("the newest segment is not there")
	}
}

func TestTwoServersThatFillAndTrimStayWithinTheSize(t *testing.T) {
	dir := t.TempDir()
	const size = 100 * 9100
	var servers sync.WaitGroup
	for s := range 2 {
		c := open(t, dir, size)
		servers.Go(func() {
			for i := range 500 {
				k, data := segment(1000*s + i)
				c.Put(k, data)
				if got, ok := c.Get(k, most); ok && !bytes.Equal(got, data) {
					t.Error("other bytes")
				}
				time.Sleep(100 * time.Microsecond)
			}
			c.Close()
		})
	}
	servers.Wait()
	if paths, total := files(t, dir); total > size+size/8 || len(paths) < 20 {
		t.Errorf("%d bytes in %d files, the limit is %d", total, len(paths), size)
	}
}

func TestADirectoryThatOthersMayWriteIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	for name, spoil := range map[string]func(dir string) error{
		"another owner":      func(dir string) error { return os.Chown(dir, 65534, 0) },
		"group may write":    func(dir string) error { return os.Chmod(dir, 0o770) },
		"everyone may write": func(dir string) error { return os.Chmod(dir, 0o1777) },
		"segments are shared": func(dir string) error {
			return errors.Join(os.Mkdir(dir+"/segments", 0o700), os.Chmod(dir+"/segments", 0o777))
		},
		"a file":                        func(dir string) error { return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)) },
		"segments are a link to a file": func(dir string) error { return os.Symlink("/etc/passwd", dir+"/segments") },
	} {
		dir := t.TempDir() + "/cache"
		if err := errors.Join(os.Mkdir(dir, 0o700), spoil(dir)); err != nil {
			t.Fatal(err)
		}
		warnings := 0
		c := Open(Options{Dir: dir, Size: 1 << 30, Get: alloc, Put: poison, Warn: func(error) { warnings++ }})
		if c != nil || warnings != 1 {
			t.Errorf("%s: opened: %v, %d warnings", name, c != nil, warnings)
		}
		k, data := segment(1)
		c.Put(k, data) // and a cache that is none keeps nothing
		if _, ok := c.Get(k, most); ok {
			t.Errorf("%s: a segment is there", name)
		}
		c.Close()
	}
}

func TestAFullDiskIsOneWarning(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=200k,mode=0700"); err != nil {
		t.Skipf("no tmpfs here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	var mu sync.Mutex
	var warnings []string
	c := Open(Options{Dir: dir, Size: 1 << 30, Get: alloc, Put: poison, Warn: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		warnings = append(warnings, err.Error())
	}})
	// What others write fills the disk, so that half of what is free is not there.
	for i := range 5 {
		k, data := segment(i)
		c.Put(k, data)
	}
	time.Sleep(50 * time.Millisecond)
	_ = os.WriteFile(dir+"/other", make([]byte, 1<<20), 0o600)
	for i := range 50 {
		k, data := segment(100 + i)
		c.Put(k, data)
		time.Sleep(time.Millisecond)
	}
	c.Close()
	if len(warnings) > 1 || len(warnings) == 1 && !strings.Contains(warnings[0], "no space left") {
		t.Errorf("warnings %q", warnings)
	}
	for i := range 150 {
		k, data := segment(i)
		if got, ok := c.Get(k, most); ok && !bytes.Equal(got, data) {
			t.Errorf("segment %d has other bytes", i)
		}
	}
}

func TestNoMoreThanHalfOfWhatIsFreeIsTaken(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700"); err != nil {
		t.Skipf("no tmpfs here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	var all []int
	for i := range 400 {
		all = append(all, i)
	}
	fill(t, dir, 1<<30, all...)
	if paths, total := files(t, dir); total > 1<<20 || total < 600_000 {
		t.Errorf("%d bytes in %d files of 2 MiB", total, len(paths))
	}
}

func TestWhatACrashHasLeftGoes(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 1<<30, 1)
	paths, _ := files(t, dir)
	for i, age := range []time.Duration{2 * time.Hour, time.Minute, -2 * time.Hour} {
		path := fmt.Sprintf("%s/.new-%d", filepath.Dir(paths[0]), i)
		if err := errors.Join(os.WriteFile(path, make([]byte, 100), 0o600), os.Chtimes(path, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, dir, 1<<30, 2)
	if paths, _ := files(t, dir); len(paths) != 3 {
		t.Errorf("files %q", paths)
	}
}

// When a clock was set back, the files from before would outlive all new ones.
func TestFilesFromTheFutureGoFirst(t *testing.T) {
	dir := t.TempDir()
	const size = 40 * 9100
	fill(t, dir, size, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	paths, _ := files(t, dir)
	future := time.Now().Add(1000 * time.Hour)
	for _, path := range paths {
		if err := os.Chtimes(path, future, future); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		fill(t, dir, size, 100+i)
	}
	c := open(t, dir, size)
	for i := range 10 {
		if k, _ := segment(i); fileExists(c.path(k)) {
			t.Errorf("segment %d is still there", i)
		}
	}
}

func fileExists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestAFileFromTheFutureIsStillRemovedInItsTurn(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 1<<30, 1)
	paths, _ := files(t, dir)
	future := time.Now().Add(1000 * time.Hour)
	if err := os.Chtimes(paths[0], future, future); err != nil {
		t.Fatal(err)
	}
	c := open(t, dir, 1<<30)
	k, _ := segment(1)
	if _, ok := c.Get(k, most); !ok {
		t.Fatal("it is not read")
	}
	if info, err := os.Stat(paths[0]); err != nil || info.ModTime().After(time.Now()) {
		t.Errorf("its time is still %v, %v", info.ModTime(), err)
	}
}
