package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// unmountAtEnd takes a mount of the test's own away, whatever state it is in.
func unmountAtEnd(t *testing.T, dir string) {
	t.Helper()
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

// holdAlive fails the test unless the mount answers, and ends it at once if not: a
// server that waits for itself cannot be killed otherwise.
func holdAlive(t *testing.T, m *mount) {
	t.Helper()
	if err := inTime(t, 5*time.Second, "ls", func() error { _, err := os.ReadDir(m.dir); return err }); err != nil {
		_ = unix.Unmount(m.dir, unix.MNT_FORCE)
		t.Fatal(err)
	}
	if err := inTime(t, 5*time.Second, "cp of another image", func() error { _, err := os.ReadFile(m.path("near.tgz")); return err }); err != nil {
		_ = unix.Unmount(m.dir, unix.MNT_FORCE)
		t.Fatal(err)
	}
}

// A row that leads into the mount itself is refused with a line that says so, before
// anything is looked at: that look would wait for itself for ever.
func TestRowThatLeadsIntoTheMountIsRefused(t *testing.T) {
	t.Parallel()
	for name, lay := range map[string]func(t *testing.T, site *xcatsite.Site, mnt string){
		"directly": func(t *testing.T, site *xcatsite.Site, mnt string) {
			must(t, site.AddStateful("loop", nil, xcatsite.Row{"template": mnt + "/near/near.tmpl"}))
		},
		"its own bundle": func(t *testing.T, site *xcatsite.Site, mnt string) {
			must(t, site.AddStateful("loop", nil, xcatsite.Row{"template": mnt + "/loop.tgz"}))
		},
		"by a link": func(t *testing.T, site *xcatsite.Site, mnt string) {
			must(t, os.Symlink(".."+mnt+"/loop.tgz", site.Path("/install/link.tmpl")))
			must(t, site.AddStateful("loop", nil, xcatsite.Row{"template": "/install/link.tmpl"}))
		},
		"by a linked directory": func(t *testing.T, site *xcatsite.Site, mnt string) {
			must(t, os.Symlink(mnt, site.Path("/install/there")))
			must(t, site.AddStateful("loop", nil, xcatsite.Row{"template": "/install/there/loop.tgz"}))
		},
		"as a root tree": func(t *testing.T, site *xcatsite.Site, mnt string) {
			must(t, site.AddStatelite("loop", []byte("kernel"), []byte("ramdisk")))
			tree := site.Path(site.TreeDir("loop"))
			must(t, os.RemoveAll(tree))
			must(t, os.Symlink(mnt, tree))
		},
	} {
		t.Run(name, func(t *testing.T) {
			site := newSite(t)
			must(t, site.AddStateful("near", nil, nil))
			mnt := site.Path("/mnt/images")
			must(t, os.MkdirAll(mnt, 0o755))
			needFUSE(t)
			m := startServer(t, mnt, site.Dir(), nil, "--refresh", "100ms")
			t.Cleanup(func() { m.stop(t) })
			m.waitReady(t)
			holdAlive(t, m)
			lay(t, site, "/mnt/images")
			time.Sleep(300 * time.Millisecond) // until the rows are read again
			holdAlive(t, m)
			var text []byte
			if err := inTime(t, 5*time.Second, "cat loop.errors", func() (err error) {
				text, err = os.ReadFile(m.path("loop.errors"))
				return err
			}); err != nil || !strings.Contains(string(text), "is a mount of imgexportfs") {
				t.Errorf("loop.errors: %q, %v", text, err)
			}
			if err := inTime(t, 5*time.Second, "stat loop.tgz", func() error { _, err := os.Stat(m.path("loop.tgz")); return err }); !os.IsNotExist(err) {
				t.Errorf("loop.tgz: %v", err)
			}
		})
	}
}

func TestMountInsideOfATreeIsLeftOut(t *testing.T) {
	site := newSite(t)
	must(t, site.AddStateful("near", nil, nil))
	must(t, site.AddStatelite("tree", []byte("kernel"), []byte("ramdisk")))
	inside := site.Path(site.TreeDir("tree")) + "/mnt"
	must(t, os.MkdirAll(inside, 0o755))
	first := mountSite(t, site.Dir(), "--refresh", "100ms")
	holdAlive(t, first)
	// -o bind of a folder is one more mount of the same file system.
	must(t, unix.Mount(first.dir, inside, "", unix.MS_BIND, ""))
	unmountAtEnd(t, inside)
	for range 3 {
		holdAlive(t, first)
		if err := inTime(t, 10*time.Second, "cp tree.tgz", func() error { _, err := os.ReadFile(first.path("tree.tgz")); return err }); err != nil {
			t.Error(err)
		}
		time.Sleep(150 * time.Millisecond)
	}
	text, err := os.ReadFile(first.path("tree.errors"))
	if err != nil || !strings.Contains(string(text), "rootimg/mnt is left empty") {
		t.Errorf("tree.errors: %q, %v", text, err)
	}
}

func TestTwoMountsThatPointIntoEachOtherAnswer(t *testing.T) {
	var sites []*xcatsite.Site
	var dirs []string
	for range 2 {
		site := newSite(t)
		must(t, site.AddStateful("near", nil, nil))
		sites, dirs = append(sites, site), append(dirs, emptyDir(t, "mnt"))
	}
	needFUSE(t)
	for i, site := range sites {
		// The other's mount, seen from below this root.
		seen := site.Path("/other")
		must(t, os.Mkdir(seen, 0o755))
		must(t, site.AddStateful("loop", nil, xcatsite.Row{"template": "/other/loop.tgz"}))
		m := startServer(t, dirs[i], site.Dir(), nil, "--refresh", "100ms")
		t.Cleanup(func() { m.stop(t) })
		m.waitReady(t)
	}
	for i, site := range sites {
		must(t, unix.Mount(dirs[1-i], site.Path("/other"), "", unix.MS_BIND, ""))
		unmountAtEnd(t, site.Path("/other"))
	}
	time.Sleep(200 * time.Millisecond)
	for i := range sites {
		m := &mount{dir: dirs[i]}
		holdAlive(t, m)
		text, err := os.ReadFile(m.path("loop.errors"))
		if err != nil || !strings.Contains(string(text), "is a mount of imgexportfs") {
			t.Errorf("loop.errors: %q, %v", text, err)
		}
	}
}

func TestMountPointsThatHideOrHoldWhatTheyShowAreRefused(t *testing.T) {
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	inside := filepath.Join(site.Path(site.TreeDir("lite")), "mnt")
	must(t, os.MkdirAll(inside, 0o755))
	full := emptyDir(t, "full")
	must(t, os.WriteFile(full+"/file", nil, 0o644))
	for _, c := range []struct {
		dir   string
		flags []string
		want  string
	}{
		{full, nil, "not empty"},
		{inside, nil, "image lite"},
		{site.Path("/install"), []string{"-o", "nonempty"}, "image lite"},
		{site.Path("/etc/xcat"), []string{"-o", "nonempty"}, "tables"},
	} {
		args := append(append([]string{"mount", "--root", site.Dir()}, c.flags...), c.dir)
		r := program(t, "", args...)
		if r.code != 4 || !strings.Contains(r.stderr, c.want) || !strings.Contains(r.stderr, c.dir) {
			t.Errorf("mount on %s: exit code %d: %s", c.dir, r.code, r.stderr)
		}
	}
	m := mountSite(t, site.Dir())
	if r := program(t, "", "mount", "--root", site.Dir(), m.dir); r.code != 4 || !strings.Contains(r.stderr, "already") {
		t.Errorf("a second mount: exit code %d: %s", r.code, r.stderr)
	}
	other := startServer(t, full, site.Dir(), nil, "-o", "nonempty")
	other.waitReady(t)
	other.stop(t)
	if _, err := os.Stat(full + "/file"); err != nil {
		t.Error(err)
	}
}

// A reader that holds a file open does not keep the server, or itself, for ever.
func TestTheProgramsEndEndsTheConnection(t *testing.T) {
	site := smallSite(t, 8<<20)
	m := mountSite(t, site.Dir())
	f, err := os.Open(m.path("bar.tgz"))
	must(t, err)
	defer func() { _ = f.Close() }()
	m.signal(t, syscall.SIGTERM)
	if code := m.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, m.log)
	}
	if err := inTime(t, 2*time.Second, "a read", func() error {
		_, err := f.ReadAt(make([]byte, 4096), 5<<20)
		if err == nil {
			return fmt.Errorf("no error")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
