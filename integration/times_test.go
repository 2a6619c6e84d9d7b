package integration

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A tar header holds any year. A header of newc has 32 bits from 1970 on: GNU cpio keeps the
// lower ones, which are another year, and here the nearest time is taken.
func TestTimesBefore1970AndAfter2106(t *testing.T) {
	needTools(t, "cpio")
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	dir := site.Path(site.TreeDir("lite"))
	work := t.TempDir()
	mountTmpfs(t, work) // other file systems may not hold these times
	mountTmpfs(t, dir)
	must(t, os.MkdirAll(dir+"/etc", 0o755))
	old, future := time.Date(1955, 11, 5, 6, 0, 0, 0, time.UTC), time.Date(2200, 2, 3, 4, 5, 6, 0, time.UTC)
	for name, at := range map[string]time.Time{"old": old, "future": future} {
		must(t, os.WriteFile(dir+"/etc/"+name, []byte(name), 0o644))
		must(t, os.Chtimes(dir+"/etc/"+name, at, at))
	}
	must(t, os.WriteFile(dir+"/list", []byte("list"), 0o644))
	must(t, os.Chtimes(dir+"/list", old, old))
	must(t, site.Exec("linuximage", `UPDATE linuximage SET exlist = ?`, site.TreeDir("lite")+"/list"))
	m := mountSite(t, site.Dir())
	shell(t, work, `tar xzf "$1" && cd lite && zcat rootimgtree.gz | cpio --quiet -idum`, m.path("lite.tgz"))
	for name, want := range map[string]time.Time{
		"list": old, "rootimg/etc/old": time.Unix(0, 0), "rootimg/etc/future": time.Unix(1<<32-1, 0),
	} {
		info, err := os.Stat(filepath.Join(work, "lite", name))
		must(t, err)
		if !info.ModTime().Equal(want) {
			t.Errorf("%s has the time %v, want %v", name, info.ModTime(), want)
		}
	}
	info, err := os.Stat(m.path("lite/list"))
	must(t, err)
	if !info.ModTime().Equal(old) {
		t.Errorf("on the mount the list has the time %v, want %v", info.ModTime(), old)
	}
}

// mountTmpfs mounts an empty file system in memory until the test ends.
func mountTmpfs(t *testing.T, dir string) {
	t.Helper()
	needFUSE(t) // which stands for the right to mount
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}
