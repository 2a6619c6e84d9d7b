package source

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestNothingOutsideARootCanBeReached(t *testing.T) {
	outer := t.TempDir()
	writeFile(t, outer+"/secret", []byte("secret"))
	dir := outer + "/site"
	writeFile(t, dir+"/etc/real", []byte("real"))
	for link, target := range map[string]string{
		"absolute": "/etc/real",
		"up":       "../../../secret",
		"abs-up":   outer + "/secret",
		"proc":     "/proc/self/root" + outer + "/secret",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	root := siteRoot(t, dir)
	for name, want := range map[string]string{
		"/etc/real":        "real",
		"etc/real":         "real", // xcatd runs in "/"
		"/../../etc/real":  "real",
		"/absolute":        "real",
		"/up":              "",
		"/abs-up":          "",
		"/proc":            "",
		"/../secret":       "",
		outer + "/secret":  "",
		"/etc/real\x00.gz": "",
	} {
		f, err := root.Open(name)
		if want == "" {
			if err == nil {
				t.Errorf("%s can be opened", name)
				_ = f.Close()
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b, _ := io.ReadAll(f); string(b) != want {
			t.Errorf("%s holds %q", name, b)
		}
		_ = f.Close()
	}
	if path, err := root.RealPath("/absolute"); err != nil || path != dir+"/etc/real" {
		t.Errorf("RealPath = %q, %v", path, err)
	}
}

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	fifo := root.Dir() + "/fifo"
	if err := unix.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("fifo", root.Dir()+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/", root.Dir()+"/dir"); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, name := range []string{"fifo", "link", "dir"} {
			if f, err := root.Open(name); !errors.Is(err, ErrNotRegular) {
				t.Errorf("Open(%s) = %v, %v", name, f, err)
			}
		}
		if _, err := root.Open("none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(none) = %v", err)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("opening a fifo blocks")
	}
}

func TestRootMustBeADirectory(t *testing.T) {
	file := t.TempDir() + "/file"
	writeFile(t, file, nil)
	for _, dir := range []string{file, file + "/none", t.TempDir() + "/none"} {
		if _, err := OpenRoot(dir); err == nil {
			t.Errorf("%s is taken for a root", dir)
		}
	}
	for _, dir := range []string{"", "/", "//"} {
		if root, err := OpenRoot(dir); err != nil || root.Dir() != "/" {
			t.Errorf("OpenRoot(%q) = %v, %v", dir, root, err)
		}
	}
}

// A row may hold a path of any length. The kernel takes 4095 bytes; a longer path is no
// reason to take memory for each of its parts.
func TestPathsLongerThanTheKernelTakesLeadNowhere(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/file", nil)
	for length, there := range map[int]bool{unix.PathMax - 1: true, unix.PathMax: false, 20 << 20: false} {
		name := strings.Repeat("/", length-len("file")) + "file"
		if _, err := root.Stat(name); (err == nil) != there || !there && !errors.Is(err, unix.ENAMETOOLONG) {
			t.Errorf("a path of %d bytes: %.200v", length, err)
		}
	}
}
