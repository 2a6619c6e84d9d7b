package fs

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
	"imgexportfs/xcat"
)

func TestOnlyOwnMountsAreUnmounted(t *testing.T) {
	for _, dir := range []string{"/proc", "/", t.TempDir()} {
		if _, err := Unmount(dir); err == nil || !strings.Contains(err.Error(), "not a mount of imgexportfs") {
			t.Errorf("Unmount(%s) = %v", dir, err)
		}
	}
}

// What somebody has mounted over an imgexportfs is not taken for it.
func TestTheTopmostMountOfADirectoryCounts(t *testing.T) {
	dir := t.TempDir()
	for _, fstype := range []string{"tmpfs", "ramfs"} {
		if err := unix.Mount("none", dir, fstype, 0, ""); err != nil {
			t.Skipf("nothing can be mounted here: %v", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		if at, ok, err := findMount(dir); err != nil || !ok || at.FSType != fstype {
			t.Errorf("%s is on top, but findMount gives %+v, %v, %v", fstype, at, ok, err)
		}
	}
}

func TestMountPointsThatCannotBeSaySo(t *testing.T) {
	made, err := xcatsite.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(made.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	must(made.AddStateful("full", nil, nil))
	site, err := xcat.OpenSite(t.Context(), xcat.Config{Root: made.Dir()})
	must(err)
	t.Cleanup(func() { _ = site.Close() })
	outside := t.TempDir()
	must(os.WriteFile(outside+"/file", nil, 0o600))
	must(os.Mkdir(outside+"/empty", 0o700))
	must(os.Symlink(made.Path("/install"), outside+"/link"))
	must(os.Symlink("/install", made.Path("/alias")))
	must(made.AddStateful("missing", nil, xcatsite.Row{"template": "/alias/not/yet/x.tmpl"}))
	must(made.AddStateless("unnamed", xcatsite.Stateless{Kernel: []byte("kernel"), Ramdisk: []byte("ramdisk")}))
	must(made.Exec("linuximage", "update linuximage set rootimgdir=null where imagename='unnamed'"))
	searched := made.Path(xcatsite.ProfileDir(xcatsite.Profile))
	must(os.MkdirAll(searched, 0o700))
	tree := made.Path(made.TreeDir("lite"))
	must(os.MkdirAll(tree+"/mnt/new", 0o700))
	must(os.MkdirAll(made.Path("/install/new"), 0o700))
	must(os.MkdirAll(made.Path("/install/not"), 0o700))
	for _, c := range []struct {
		dir      string
		nonEmpty bool
		want     []string // in the error; none: it can be mounted
	}{
		{outside + "/empty", false, nil},
		{made.Path("/install/new"), false, nil},
		{made.Path("/install/not"), true, []string{"would hide", "image missing"}},
		{outside, true, nil},
		{outside + "/file", true, []string{"not a directory"}},
		{outside + "/missing", true, []string{"no such file"}},
		{outside, false, []string{"not empty", "-o nonempty"}},
		{made.Path("/etc/xcat"), true, []string{"site's tables", "/etc/xcat"}},
		{made.Path("/etc"), true, []string{"site's tables"}},
		{made.Path("/install"), true, []string{"would hide", "image full"}},
		{outside + "/link", true, []string{"would hide", "image full"}},
		{searched, true, []string{"would hide", "image unnamed"}},
		{searched + "/..", true, []string{"would hide", "image"}},
		{made.Dir(), true, []string{"site's tables"}},
		{tree, true, []string{"image lite"}},
		{tree + "/mnt/new", false, []string{"lies in", "exported with image lite"}},
	} {
		_, err := checkMountPoint(t.Context(), c.dir, site, c.nonEmpty)
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", c.dir, err)
			}
			continue
		}
		if !errors.Is(err, ErrMountPoint) {
			t.Errorf("%s: %v is not an ErrMountPoint", c.dir, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, which does not say %q", c.dir, err, want)
			}
		}
	}
	if _, err := Mount(t.Context(), t.TempDir(), nil, nil, Options{Umask: 0o1777}); err == nil {
		t.Error("a umask of more than permissions is taken")
	}
}
