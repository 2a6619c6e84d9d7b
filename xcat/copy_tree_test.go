package xcat

import (
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle"
)

// kindsOf returns the kinds and targets of members.
func kindsOf(t *testing.T, e *Export, names ...string) map[string]bundle.Member {
	t.Helper()
	kinds := map[string]bundle.Member{}
	for _, name := range names {
		m := member(t, e, name)
		kinds[name] = bundle.Member{Kind: m.Kind, Target: m.Target}
	}
	return kinds
}

// The order of the archive is that of names: "a-b" comes before "a/f", although a walk
// finds it later.
func TestFilesWithSeveralNamesAreStoredUnderTheFirst(t *testing.T) {
	s := newTestSite(t)
	s.image("i", nil)
	s.write("d/a/f", "one file", 0o600)
	s.write("outside", "elsewhere", 0o644)
	must(t, os.Link(s.path("d/a/f"), s.path("d/a-b")))
	must(t, os.Link(s.path("d/a/f"), s.path("d/z")))
	must(t, os.Link(s.path("outside"), s.path("d/alone")))
	must(t, os.Lchown(s.path("d/z"), 3, 4))
	e := s.export(Request{Image: "i", Extras: []string{"/d"}})
	expectProblems(t, e)
	for name, want := range map[string]bundle.Member{
		"extra/d/a-b":   {Kind: bundle.Regular},
		"extra/d/a/f":   {Kind: bundle.HardLink, Target: "extra/d/a-b"},
		"extra/d/z":     {Kind: bundle.HardLink, Target: "extra/d/a-b"},
		"extra/d/alone": {Kind: bundle.Regular},
	} {
		m := member(t, e, name)
		if m.Kind != want.Kind || m.Target != want.Target || m.Content == nil {
			t.Errorf("%s is %+v", name, m)
		}
		if name != "extra/d/alone" && (m.UID != 3 || m.GID != 4 || m.Perm != 0o600) {
			t.Errorf("%s is %+v", name, m)
		}
	}
}

// imgexport copies each extra directory by itself, so files of two are two files. What
// two of them hold is listed once.
func TestFilesOfTwoTreesAreTwoFiles(t *testing.T) {
	s := newTestSite(t)
	s.image("i", nil)
	s.write("d/in/f", "one file", 0o644)
	mkdir(t, s.root, "e")
	must(t, os.Link(s.path("d/in/f"), s.path("d/in/g")))
	must(t, os.Link(s.path("d/in/f"), s.path("d/a")))
	must(t, os.Link(s.path("d/in/f"), s.path("e/f")))
	for _, extras := range [][]string{{"/d", "/e", "/d/in"}, {"/d/in", "/d", "/e"}, {"/e", "/d/in", "/d"}} {
		e := s.export(Request{Image: "i", Extras: extras})
		expectProblems(t, e)
		kinds := kindsOf(t, e, "extra/d/a", "extra/d/in/f", "extra/d/in/g", "extra/e/f")
		if kinds["extra/e/f"].Kind != bundle.Regular || kinds["extra/d/a"].Kind != bundle.Regular || kinds["extra/d/in/g"].Kind != bundle.HardLink {
			t.Errorf("%q: %+v", extras, kinds)
		}
	}
}

func TestDevicesAreMembers(t *testing.T) {
	s := newTestSite(t)
	s.image("i", nil)
	mkdir(t, s.root, "d")
	must(t, syscall.Mkfifo(s.path("d/fifo"), 0o600))
	devices := map[string]uint32{"char": unix.S_IFCHR, "block": unix.S_IFBLK}
	for name, kind := range devices {
		if err := unix.Mknod(s.path("d/"+name), kind|0o640, int(unix.Mkdev(300, 70_000))); err != nil {
			t.Skipf("no devices can be made here: %v", err)
		}
	}
	e := s.export(Request{Image: "i", Extras: []string{"/d"}})
	expectProblems(t, e)
	for name, kind := range map[string]bundle.Kind{"char": bundle.CharDevice, "block": bundle.BlockDevice} {
		if m := member(t, e, "extra/d/"+name); m.Kind != kind || m.Major != 300 || m.Minor != 70_000 || m.Perm != 0o640 {
			t.Errorf("%s is %+v", name, m)
		}
	}
	if m := member(t, e, "extra/d/fifo"); m.Kind != bundle.Fifo || m.Perm != 0o600 {
		t.Errorf("fifo is %+v", m)
	}
}
