package xcat

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/bundle"
)

// kitImage adds an image with a kit.
func (s *testSite) kitImage(kit, dir string) {
	s.image("i", nil)
	s.set("osimage", "kitcomponents", "c")
	s.insert("kitcomponent", Row{"kitcompname": "c", "kitname": kit})
	s.insert("kit", Row{"kitname": kit, "kitdir": dir})
}

func TestKitTree(t *testing.T) {
	s := newTestSite(t)
	s.kitImage("k", "/kits/link/")
	s.write("kits/real/.hidden", "h", 0o666)
	s.write("kits/real/a", "a", 0o4777)
	s.write("kits/real/sub/b", "b", 0o600)
	must(t, os.Symlink("real", s.path("kits/link")))
	must(t, os.Symlink("../outside", s.path("kits/real/l")))
	must(t, os.Symlink("sub", s.path("kits/real/ldir")))
	must(t, os.Link(s.path("kits/real/a"), s.path("kits/real/hard")))
	must(t, syscall.Mkfifo(s.path("kits/real/sub/fifo"), 0o644))
	must(t, syscall.Mknod(s.path("kits/real/sub/socket"), syscall.S_IFSOCK|0o644, 0))
	must(t, os.Chmod(s.path("kits/real/sub/fifo"), 0o662))
	must(t, os.Chmod(s.path("kits/real/sub"), 0o777))
	must(t, os.Chown(s.path("kits/real/a"), 5, 6))
	when := time.Unix(1e9, 0)
	must(t, os.Chtimes(s.path("kits/real/sub"), when, when))
	e := s.export(Request{Image: "i"})
	expectProblems(t, e, "Warning: The directory /kits/link/ of the kit k of i is not named as the kit: imgimport will restore it as /kits/k, while kit.kitdir and kitrepo.kitrepodir go on naming /kits/link/",
		"Warning: /kits/link/sub/socket of i is a socket, which a bundle cannot hold. Skip.")
	expectMembers(t, e, "manifest.xml", "t.tmpl", "k", "k/.hidden", "k/a", "k/hard", "k/l", "k/ldir", "k/sub", "k/sub/b", "k/sub/fifo")
	for name, want := range map[string]bundle.Member{
		"k":          {Kind: bundle.Directory, Perm: 0o755},
		"k/sub":      {Kind: bundle.Directory, Perm: 0o755},
		"k/sub/b":    {Kind: bundle.Regular, Perm: 0o600},
		"k/a":        {Kind: bundle.Regular, Perm: 0o755},
		"k/hard":     {Kind: bundle.HardLink, Perm: 0o755, Target: "k/a"},
		"k/sub/fifo": {Kind: bundle.Fifo, Perm: 0o640},
		"k/.hidden":  {Kind: bundle.Regular, Perm: 0o644},
		"k/l":        {Kind: bundle.Symlink, Perm: 0o777, Target: "../outside"},
		"k/ldir":     {Kind: bundle.Symlink, Perm: 0o777, Target: "sub"},
	} {
		m := member(t, e, name)
		if m.Kind != want.Kind || m.Perm != want.Perm || m.Target != want.Target || m.UID != 0 || m.GID != 0 {
			t.Errorf("%s is %+v, want %+v", name, m, want)
		}
	}
	if m := member(t, e, "k/sub"); !m.ModTime.Equal(when) {
		t.Errorf("time %v", m.ModTime)
	}
}

// imgexport's cp stores a link, and imgimport has no kit.
func TestALinkedKitDirectoryIsStoredAsADirectory(t *testing.T) {
	s := newTestSite(t)
	s.kitImage("k", "/kits/k")
	s.write("real/f", "f", 0o644)
	mkdir(t, s.root, "kits")
	must(t, os.Symlink("/real", s.path("kits/k")))
	e := s.export(Request{Image: "i"})
	expectProblems(t, e)
	expectMembers(t, e, "manifest.xml", "t.tmpl", "k", "k/f")
	if m := member(t, e, "k"); m.Kind != bundle.Directory {
		t.Errorf("k is %+v", m)
	}
}

// imgexport puts the name between apostrophes into SQL and the path into a shell.
func TestAKitWithAnApostropheHasItsRowsAndItsDirectory(t *testing.T) {
	s := newTestSite(t)
	s.kitImage("it's", "/kits/it's")
	s.insert("kitrepo", Row{"kitreponame": "r", "kitname": "it's"})
	s.write("kits/it's/f", "f", 0o644)
	e := s.export(Request{Image: "i"})
	expectProblems(t, e)
	expectMembers(t, e, "manifest.xml", "t.tmpl", "it's", "it's/f")
	for _, part := range []string{"<kitreponame>r</kitreponame>", "<kitcompname>c</kitcompname>", "<kitdir>/kits/it's</kitdir>"} {
		if !strings.Contains(manifestOf(t, e), part) {
			t.Errorf("manifest\n%s\nlacks %s", manifestOf(t, e), part)
		}
	}
}

func TestKitsThatCannotBeStored(t *testing.T) {
	for name, c := range map[string]struct {
		kit, dir string
		refused  bool
		problem  string
	}{
		"a slash in the name":        {"a/b", "/kits/k", true, "Error: The kit a/b of i cannot be exported"},
		"a name that leads up":       {"..", "/kits/k", true, "Error: The kit .. of i cannot be exported"},
		"a reserved name":            {"extra", "/kits/k", true, "Error: The name extra of"},
		"the name of another member": {"t.tmpl", "/kits/k", true, "have one base name"},
		"a directory that is none":   {"k", "/install/t.tmpl", false, "Error: Couldn't read file /install/t.tmpl for i: it is a file and not the kit's directory. Skip."},
		"no directory":               {"k", "/kits/gone", false, "Error: Couldn't find file /kits/gone for i. Skip."},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSite(t)
			s.kitImage(c.kit, c.dir)
			s.write("kits/k/f", "f", 0o644)
			e := s.export(Request{Image: "i"})
			if got := strings.Join(texts(e.Problems()), "\n"); e.Refused != c.refused || !strings.Contains(got, c.problem) || len(e.Problems()) != 1 {
				t.Errorf("refused %v, %q; want %q", e.Refused, got, c.problem)
			}
		})
	}
}

func TestAllRowsOfAKitAreExportedSortedByName(t *testing.T) {
	s := newTestSite(t)
	s.kitImage("k", "")
	s.insert("kitcomponent", Row{"kitcompname": "b", "kitname": "k"})
	s.insert("kitcomponent", Row{"kitcompname": "hidden", "kitname": "k", "disable": "1"})
	s.insert("kitcomponent", Row{"kitcompname": "other", "kitname": "other"})
	s.insert("kitrepo", Row{"kitreponame": "r", "kitname": "k"})
	e := s.export(Request{Image: "i"})
	manifest := string(member(t, e, "manifest.xml").Content.(bundle.Bytes))
	want := `  <kit>
    <name>k</name>
  </kit>
  <kit>
    <name>k</name>
    <kitname>k</kitname>
  </kit>
  <kitcomp>
    <name>b</name>
    <kitcompname>b</kitcompname>
    <kitname>k</kitname>
  </kitcomp>
  <kitcomp>
    <name>c</name>
    <kitcompname>c</kitcompname>
    <kitname>k</kitname>
  </kitcomp>
  <kitrepo>
    <name>r</name>
  </kitrepo>
  <kitrepo>
    <name>r</name>
    <kitname>k</kitname>
    <kitreponame>r</kitreponame>
  </kitrepo>
  <linuximage>
`
	if !strings.Contains(manifest, want) {
		t.Errorf("manifest\n%s\nlacks\n%s", manifest, want)
	}
}
