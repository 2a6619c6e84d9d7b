package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// The images of bulkSite, one of each kind whose bundle is big enough to have
// several segments.
var bulkImages = []string{"stateless", "statelite", "kits"}

// bulkSite is built once for all tests that only read it.
func bulkSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	needRoot(t)
	s, err := bulkSiteOnce()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var bulkSiteOnce = sync.OnceValues(func() (*xcatsite.Site, error) {
	s, err := xcatsite.Create(filepath.Join(scratch, "bulk-site"))
	if err != nil {
		return nil, err
	}
	steps := []func(*xcatsite.Site) error{addBulkStateless, addBulkStatelite, addBulkKits}
	for _, step := range steps {
		if err := step(s); err != nil {
			return nil, err
		}
	}
	return s, nil
})

// addBulkStateless adds the common case: nearly all of it is compressed
// already, with a large compressible kernel before it.
func addBulkStateless(s *xcatsite.Site) error {
	return s.AddStateless("stateless", xcatsite.Stateless{
		Kernel:  xcatsite.Text("kernel", 5<<20+123),
		Ramdisk: xcatsite.Noise("ramdisk", 3<<20+1),
		Rootimg: xcatsite.Noise("rootimg", 20<<20+4567),
	})
}

// addBulkStatelite adds a tree with everything that a root file system holds
// and cpio has a word for.
func addBulkStatelite(s *xcatsite.Site) error {
	if err := s.AddStatelite("statelite", xcatsite.Noise("kernel2", 1<<20), xcatsite.Noise("ramdisk2", 1<<20)); err != nil {
		return err
	}
	root := s.TreeDir("statelite")
	for i := range 300 {
		name := fmt.Sprintf("%s/usr/share/doc/package-%02d/file-%03d", root, i%20, i)
		if err := s.WriteFile(name, 0o644, xcatsite.Text(name, i*97%9000)); err != nil {
			return err
		}
	}
	files := []struct {
		name string
		perm os.FileMode
		data []byte
	}{
		{"var/log/big", 0o640, xcatsite.Text("big", 5<<20+17)},
		{"usr/lib/noise.so", 0o755, xcatsite.Noise("so", 3<<20+5)},
		{"etc/shadow", 0o000, []byte("root:*:1:\n")},
		{"usr/bin/su", 0o755 | os.ModeSetuid, []byte("\x7fELF su")},
		{"etc/with blank", 0o644, []byte("b")},
		{"etc/with\nnewline", 0o644, []byte("n")},
		{"etc/ünïcode", 0o644, []byte("u")},
		{"etc/empty", 0o644, nil},
		{"usr/bin/many-1", 0o755, xcatsite.Text("many", 70000)},
	}
	for _, f := range files {
		if err := s.WriteFile(root+"/"+f.name, f.perm, f.data); err != nil {
			return err
		}
	}
	return addOddEntries(s.Path(root))
}

// addOddEntries adds what is no plain file, and names that share one.
func addOddEntries(root string) error {
	in := func(name string) string { return filepath.Join(root, name) }
	steps := []error{
		os.MkdirAll(in("tmp"), 0o755),
		os.Chmod(in("tmp"), 0o777|os.ModeSticky),
		os.MkdirAll(in("dev"), 0o755),
		os.MkdirAll(in("mnt/empty"), 0o700),
		os.Link(in("usr/bin/many-1"), in("usr/bin/many-2")),
		os.Link(in("usr/bin/many-1"), in("etc/many-3")),
		os.Symlink("usr/bin", in("bin")),
		os.Symlink("/nonexistent/target", in("etc/dangling")),
		os.Chown(in("var/log/big"), 1000, 1001),
		os.Lchown(in("etc/dangling"), 1000, 1001),
		syscall.Mknod(in("dev/null"), syscall.S_IFCHR|0o666, 1<<8|3),
		syscall.Mknod(in("dev/sda"), syscall.S_IFBLK|0o640, 8<<8),
		syscall.Mkfifo(in("dev/initctl"), 0o600),
		makeSparse(in("var/sparse"), 2<<20),
	}
	for i, err := range steps {
		if err != nil {
			return fmt.Errorf("odd entry %d: %w", i, err)
		}
	}
	return nil
}

// makeSparse makes a file of size bytes that takes no room.
func makeSparse(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Chtimes(path, xcatsite.Epoch, xcatsite.Epoch)
}

// addBulkKits adds an image with two kits, whose directories hold links.
func addBulkKits(s *xcatsite.Site) error {
	components := ""
	for _, kit := range []string{"hpc-1.0", "mpi-2.0"} {
		dir, err := s.AddKit(kit, kit+"-comp")
		if err != nil {
			return err
		}
		files := map[string][]byte{
			"kit.conf":              []byte("kit:\n  basename=" + kit + "\n"),
			"repos/r/packages.rpm":  xcatsite.Noise(kit, 2<<20+77),
			"repos/r/filelists.xml": xcatsite.Text(kit, 3<<20+99),
			"other_files/.hidden":   []byte("h"),
		}
		for name, data := range files {
			if err := s.WriteFile(dir+"/"+name, 0o644, data); err != nil {
				return err
			}
		}
		if err := os.Symlink("packages.rpm", s.Path(dir+"/repos/r/latest.rpm")); err != nil {
			return err
		}
		components += "," + kit + "-comp"
	}
	return s.AddStateful("kits", xcatsite.Row{"kitcomponents": components[1:]}, nil)
}

// newSite is an empty site of the test's own.
func newSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	needRoot(t)
	s, err := xcatsite.Create(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// smallSite is a site of the test's own with a stateful image "foo" and a
// stateless image "bar" of about size bytes.
func smallSite(t *testing.T, size int) *xcatsite.Site {
	t.Helper()
	s := newSite(t)
	must(t, s.AddStateful("foo", xcatsite.Row{"description": "aaaa"}, nil))
	must(t, s.AddStateless("bar", xcatsite.Stateless{
		Kernel: xcatsite.Text("kernel", 100_000), Ramdisk: xcatsite.Noise("ramdisk", 50_000), Rootimg: xcatsite.Noise("rootimg", size),
	}))
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
