package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/faultfs"
	"imgexportfs/integration/xcatsite"
)

// soak is for how long a test of chance may go on: quick, or what SOAK says in
// minutes.
func soak(t *testing.T, quick time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return quick
	}
	minutes, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("SOAK: %v", err)
	}
	return max(quick, time.Duration(minutes*float64(time.Minute)))
}

// soaking reports whether SOAK asks for the long part of the tests.
func soaking() bool { return os.Getenv("SOAK") != "" }

// faultySite is a site whose images are on a file system that misbehaves on command.
// Its tables are not.
type faultySite struct {
	*xcatsite.Site // its files below /install are for children only
	*faultfs.FS
	behind string // the files of /install without the faults
}

// misbehaving moves the images of a site behind a faultfs.
func misbehaving(t *testing.T, site *xcatsite.Site) *faultySite {
	t.Helper()
	needFUSE(t)
	point := site.Path("/install")
	behind := point + ".behind"
	must(t, os.Rename(point, behind))
	must(t, os.Mkdir(point, 0o755))
	faults, err := faultfs.Mount(behind, point)
	must(t, err)
	t.Cleanup(func() {
		if err := faults.Close(); err != nil {
			t.Errorf("unmount %s: %v", point, err)
			_ = unix.Unmount(point, unix.MNT_DETACH)
		}
	})
	return &faultySite{site, faults, behind}
}

// real is where a file of the site can be looked at and changed without the faults.
func (s *faultySite) real(name string) string {
	return filepath.Join(s.behind, strings.TrimPrefix(name, "/install"))
}

// mixedSite has one image with all that is read in a way of its own: a kernel that
// is large and deflated, a ram disk that is large and stored, a tree with links,
// attributes and a sparse file, and lists.
func mixedSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	must(t, site.AddStatelite("mixed", xcatsite.Text("kernel", 1<<20+100), xcatsite.Noise("ramdisk", 1<<20+5)))
	tree := site.TreeDir("mixed")
	must(t, site.WriteFile(tree+"/etc/hosts", 0o644, []byte("localhost\n")))
	must(t, site.WriteFile(tree+"/usr/lib/large", 0o755, xcatsite.Text("large", 700_000)))
	must(t, site.WriteFile(tree+"/usr/empty", 0o644, nil))
	must(t, os.Symlink("hosts", site.Path(tree+"/etc/link")))
	must(t, os.Link(site.Path(tree+"/etc/hosts"), site.Path(tree+"/etc/hosts2")))
	must(t, unix.Setxattr(site.Path(tree+"/usr/lib/large"), "user.colour", []byte("red"), 0))
	must(t, makeSparse(site.Path(tree+"/var"), 1<<20))
	return site
}
