package xcat

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/bundle"
)

// expectProblems holds the problems of an export against pairs of level and
// part of a text, in order.
func expectProblems(t *testing.T, e *Export, want ...string) {
	t.Helper()
	got := texts(e.Problems())
	if len(got) != len(want) {
		t.Errorf("problems\n\t%s\nwant those with\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		return
	}
	for i := range want {
		level, part, _ := strings.Cut(want[i], ": ")
		if !strings.HasPrefix(got[i], level+": ") || !strings.Contains(got[i], part) {
			t.Errorf("problem %q, want %q", got[i], want[i])
		}
	}
}

func expectMembers(t *testing.T, e *Export, want ...string) {
	t.Helper()
	got := memberNames(e)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("members %q, want %q", got, want)
	}
}

func (s *testSite) path(name string) string { return filepath.Join(s.root, name) }

func TestMembersBearTheSourcesModeAndTime(t *testing.T) {
	s := newTestSite(t)
	s.image("i", nil)
	when := time.Unix(1234567890, 987654321)
	must(t, os.Chmod(s.path("install/t.tmpl"), 0o777|os.ModeSetuid))
	must(t, os.Chtimes(s.path("install/t.tmpl"), when, when))
	must(t, os.Lchown(s.path("install/t.tmpl"), 12, 34))
	e := s.export(Request{Image: "i"})
	m := member(t, e, "t.tmpl")
	if m.Perm != 0o755 || m.UID != 0 || m.GID != 0 || !m.ModTime.Equal(when) {
		t.Errorf("mode %o, owner %d:%d, time %v", m.Perm, m.UID, m.GID, m.ModTime)
	}
	if f, ok := m.Content.(bundle.File); !ok || f.Path() != "/install/t.tmpl" {
		t.Errorf("content %v", m.Content)
	}
	m = member(t, e, "manifest.xml")
	if m.Perm != 0o644 || !m.ModTime.IsZero() {
		t.Errorf("manifest: mode %o, time %v", m.Perm, m.ModTime)
	}
}

func TestListedFilesAreFollowedThroughLinks(t *testing.T) {
	s := newTestSite(t)
	s.write("real/file", "content", 0o640)
	must(t, os.Symlink("/real/file", s.path("link.lst")))
	s.image("i", Row{"pkglist": "/link.lst"})
	e := s.export(Request{Image: "i"})
	expectProblems(t, e)
	m := member(t, e, "link.lst")
	if m.Kind != bundle.Regular || m.Perm != 0o640 || m.Content.Size() != 7 {
		t.Errorf("member %+v", m)
	}
}

// Neither of these must be opened, or reading would wait for ever.
func TestListedFilesThatAreNoneAreSkippedWithoutOpeningThem(t *testing.T) {
	s := newTestSite(t)
	must(t, syscall.Mkfifo(s.path("fifo"), 0o644))
	must(t, syscall.Mknod(s.path("device"), syscall.S_IFCHR|0o644, 1<<8|3))
	must(t, syscall.Mknod(s.path("socket"), syscall.S_IFSOCK|0o644, 0))
	s.image("i", Row{"pkglist": "/fifo,/device", "exlist": "/socket"})
	e := s.export(Request{Image: "i"})
	expectProblems(t, e,
		"Error: Couldn't read file /fifo for i: it is a fifo. Skip.",
		"Error: Couldn't read file /device for i: it is a character device. Skip.",
		"Error: Couldn't read file /socket for i: it is a socket. Skip.")
	if e.Refused {
		t.Error("refused")
	}
	expectMembers(t, e, "manifest.xml", "t.tmpl")
}

func TestAnEmptyPartOfAListIsAMissingFile(t *testing.T) {
	s := newTestSite(t)
	s.write("a", "a", 0o644)
	s.image("i", Row{"pkglist": ",/a,,"})
	e := s.export(Request{Image: "i"})
	expectProblems(t, e, "Error: Couldn't find file  for i. Skip.")
	expectMembers(t, e, "manifest.xml", "t.tmpl", "a")
}

func TestPathsBelowARootStayThere(t *testing.T) {
	s := newTestSite(t)
	s.write("escaped", "inside", 0o644)
	must(t, os.Symlink("../../../../../../escaped", s.path("up")))
	s.image("i", Row{"pkglist": "/../../../../../../up", "exlist": "/../../etc/hostname"})
	e := s.export(Request{Image: "i"})
	expectProblems(t, e, "Error: Couldn't find file /../../etc/hostname for i. Skip.")
	if m := member(t, e, "up"); m.Content.Size() != int64(len("inside")) {
		t.Errorf("member %+v", m)
	}
}

func TestReservedNamesRefuse(t *testing.T) {
	for _, name := range []string{"manifest.xml", "litefile.csv", "rootimgtree.gz", "extra"} {
		s := newTestSite(t)
		s.write("x/"+name, "x", 0o644)
		s.image("i", Row{"exlist": "/x/" + name})
		e := s.export(Request{Image: "i"})
		expectProblems(t, e, "Error: The name "+name+" of /x/"+name)
		if !e.Refused {
			t.Errorf("%s: not refused", name)
		}
		expectMembers(t, e, "t.tmpl")
	}
}

func TestBaseNames(t *testing.T) {
	for name, c := range map[string]struct {
		pkglist  string
		refused  bool
		problems []string
	}{
		"two files":          {"/a/f,/b/f", true, []string{"Error: /a/f and /b/f have one base name"}},
		"one path twice":     {"/a/f,/a/f", false, []string{"Warning: /a/f is listed twice for i"}},
		"one file, two ways": {"/a/f,/link/f", false, []string{"Warning: /a/f and /link/f of i are one file"}},
		"two hard links":     {"/a/f,/hard/f", false, []string{"Warning: /a/f and /hard/f of i are one file"}},
		"one of them missing": {"/gone/f,/a/f", true, []string{
			"Error: Couldn't find file /gone/f for i. Skip.", "Error: /gone/f and /a/f have one base name"}},
		"both missing": {"/gone/f,/away/f", true, []string{
			"Error: Couldn't find file /gone/f for i. Skip.", "Error: Couldn't find file /away/f for i. Skip.", "Error: /gone/f and /away/f have one base name"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSite(t)
			s.write("a/f", "a", 0o644)
			s.write("b/f", "b", 0o644)
			must(t, os.Symlink("a", s.path("link")))
			mkdir(t, s.root, "hard")
			must(t, os.Link(s.path("a/f"), s.path("hard/f")))
			s.image("i", Row{"pkglist": c.pkglist})
			e := s.export(Request{Image: "i"})
			expectProblems(t, e, c.problems...)
			if e.Refused != c.refused {
				t.Errorf("refused %v", e.Refused)
			}
			if last := e.Messages[len(e.Messages)-1]; (last.Text == "Compressing i bundle.  Please be patient.") == c.refused {
				t.Errorf("last message %q", last)
			}
		})
	}
}

func TestPostinstallWithArguments(t *testing.T) {
	s := newTestSite(t)
	s.write("s/post", "#!/bin/sh", 0o700)
	s.write("s/with blank", "#!/bin/sh", 0o700)
	s.image("args", Row{"postinstall": "/s/post\t-x y"})
	s.image("blank", Row{"postinstall": "/s/with blank"})
	s.image("gone", Row{"postinstall": "/s/gone -x"})
	s.image("list", Row{"pkglist": "/s/post -x"})
	e := s.export(Request{Image: "args"})
	expectProblems(t, e, "Error: The script /s/post is in the bundle of args as post")
	expectMembers(t, e, "manifest.xml", "t.tmpl", "post")
	e = s.export(Request{Image: "blank"})
	expectProblems(t, e)
	expectMembers(t, e, "manifest.xml", "t.tmpl", "with blank")
	expectProblems(t, s.export(Request{Image: "gone"}), "Error: Couldn't find file /s/gone -x for gone. Skip.")
	expectProblems(t, s.export(Request{Image: "list"}), "Error: Couldn't find file /s/post -x for list. Skip.")
}

// netbootImage adds a stateless image in /boot.
func (s *testSite) netbootImage(name, dir string) {
	s.insert("osimage", Row{"imagename": name, "provmethod": "netboot", "profile": "p", "osvers": "rh9", "osarch": "x86_64"})
	s.insert("linuximage", Row{"imagename": name, "pkglist": "/p.lst", "rootimgdir": dir})
	s.write("p.lst", "x", 0o644)
	for _, f := range []string{"kernel", "initrd-stateless.gz", "rootimg.cpio.gz"} {
		s.write(dir+"/"+f, f, 0o644)
	}
}

func TestBootFilesMustBeFiles(t *testing.T) {
	s := newTestSite(t)
	s.netbootImage("i", "/boot")
	must(t, os.Remove(s.path("boot/kernel")))
	must(t, syscall.Mkfifo(s.path("boot/kernel"), 0o644))
	e := s.export(Request{Image: "i"})
	expectProblems(t, e, "Error: Couldn't find kernel (kernel) for  i")
	if !e.Refused {
		t.Error("not refused")
	}
	expectMembers(t, e, "initrd-stateless.gz", "rootimg.cpio.gz", "p.lst")
}

// Where imgexport searches it takes anything of the name.
func TestASearchedBootFileThatIsADirectoryRefuses(t *testing.T) {
	s := newTestSite(t)
	s.netbootImage("i", "/install/netboot/rh9/x86_64/p")
	s.set("linuximage", "rootimgdir", "")
	must(t, os.Remove(s.path("install/netboot/rh9/x86_64/p/kernel")))
	mkdir(t, s.root, "install/netboot/rh9/x86_64/p/kernel")
	e := s.export(Request{Image: "i"})
	expectProblems(t, e, "Error: Couldn't read kernel /install/netboot/rh9/x86_64/p/kernel for i: it is a directory.")
	if !e.Refused {
		t.Error("not refused")
	}
}

func TestABootFileWithACommaInItsPathRefuses(t *testing.T) {
	s := newTestSite(t)
	s.netbootImage("i", "/boot,1")
	e := s.export(Request{Image: "i"})
	expectProblems(t, e, "Error: The path of the kernel of i, /boot,1/kernel, holds a comma, at which imgimport would split it",
		"Error: The path of the ramdisk of i", "Error: The path of the rootimg of i")
	if !e.Refused {
		t.Error("not refused")
	}
}

func TestZeroIsNotSet(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i", "provmethod": "install", "profile": "0", "osvers": "rh9", "osarch": "x86_64"})
	expectProblems(t, s.export(Request{Image: "i"}), "Error: The 'profile' field is not set for 'i' in the osimage table.")
}

func TestInstalldirIsTheSites(t *testing.T) {
	s := newTestSite(t)
	s.insert("site", Row{"key": "installdir", "value": "/srv/inst"})
	s.insert("osimage", Row{"imagename": "i", "provmethod": "install", "profile": "p", "osvers": "rhels9.2", "osarch": "x86_64"})
	s.insert("linuximage", Row{"imagename": "i"})
	s.write("srv/inst/custom/install/rhel/p.x86_64.tmpl", "t", 0o644)
	e := s.export(Request{Image: "i"})
	expectProblems(t, e)
	expectMembers(t, e, "manifest.xml", "p.x86_64.tmpl")
}

func TestSearchGoesToTheDirectoryItselfAtLast(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i", "provmethod": "install", "profile": "p", "osvers": "rhels9.2", "osarch": "x86_64"})
	s.insert("linuximage", Row{"imagename": "i"})
	s.write("install/custom/install/p.tmpl", "t", 0o644)
	e := s.export(Request{Image: "i", Destination: "/x"})
	want := []string{"Exporting i to /x...", "/install/custom/install//p.tmpl", "/install/custom/install//p.tmpl", "Compressing i bundle.  Please be patient."}
	if got := texts(e.Messages); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
}

func TestTheFirstFileInRulesOrderIsFound(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i", "provmethod": "install", "profile": "p", "osvers": "rh9", "osarch": "arm"})
	s.insert("linuximage", Row{"imagename": "i"})
	// Each of these is found before those that were there before it.
	for _, name := range []string{
		"opt/xcat/share/xcat/install/rh/p.tmpl", "opt/xcat/share/xcat/install/rh/p.arm.tmpl",
		"opt/xcat/share/xcat/install/rh/p.rh9.tmpl", "opt/xcat/share/xcat/install/rh/p.rh9.arm.tmpl",
		"install/custom/install/rh/p.tmpl", "install/custom/install/rh/p.arm.tmpl",
		"install/custom/install/rh9/p.tmpl", "install/custom/install/rh9/p.rh9.arm.tmpl",
	} {
		s.write(name, "t", 0o644)
		e := s.export(Request{Image: "i"})
		if got := e.Messages[1].Text; got != "/"+name {
			t.Errorf("found %s, want /%s", got, name)
		}
	}
}

// statelite adds a statelite image in /boot.
func (s *testSite) statelite(name, groups string) {
	s.insert("osimage", Row{"imagename": name, "provmethod": "statelite", "profile": "p", "osvers": "rh9", "osarch": "x86_64", "groups": groups})
	s.insert("linuximage", Row{"imagename": name, "pkglist": "/p.lst", "rootimgdir": "/boot"})
	s.write("p.lst", "x", 0o644)
	s.write("boot/kernel", "k", 0o644)
	s.write("boot/initrd-statelite.gz", "i", 0o644)
	s.write("boot/rootimg/etc/hosts", "h", 0o644)
}

func TestAShallowExportDoesNotWalkTheTree(t *testing.T) {
	s := newTestSite(t)
	s.statelite("i", "")
	deep, shallow := s.export(Request{Image: "i"}), s.export(Request{Image: "i", Shallow: true})
	expectMembers(t, deep, "manifest.xml", "litefile.csv", "rootimgtree.gz", "kernel", "initrd-statelite.gz", "p.lst")
	expectMembers(t, shallow, "manifest.xml", "litefile.csv", "kernel", "initrd-statelite.gz", "p.lst")
	if !slices.Equal(texts(deep.Messages), texts(shallow.Messages)) {
		t.Errorf("messages %q and %q", texts(deep.Messages), texts(shallow.Messages))
	}
	must(t, os.RemoveAll(s.path("boot/rootimg")))
	s.write("boot/rootimg", "a file", 0o644)
	for _, req := range []Request{{Image: "i"}, {Image: "i", Shallow: true}} {
		e := s.export(req)
		expectProblems(t, e, "Error: There is no root image tree /boot/rootimg for i")
		expectMembers(t, e, "kernel", "initrd-statelite.gz", "p.lst")
	}
}

// find does not follow a link that it is started with, so imgexport packs the link alone.
func TestALinkedRootTreeIsPackedAsADirectory(t *testing.T) {
	s := newTestSite(t)
	s.statelite("i", "")
	must(t, os.Rename(s.path("boot/rootimg"), s.path("real")))
	plain := s.export(Request{Image: "i"})
	must(t, os.Symlink("/real", s.path("boot/rootimg")))
	e := s.export(Request{Image: "i"})
	expectProblems(t, e)
	if tree := member(t, e, "rootimgtree.gz").Content.(*bundle.Tree); tree.Len() != 3 { // rootimg, etc, hosts
		t.Errorf("the tree has %d entries", tree.Len())
	}
	if !plain.Refused {
		t.Error("an image without a tree is exported")
	}
}

func TestLitefileRows(t *testing.T) {
	s := newTestSite(t)
	s.statelite("i", "")
	s.statelite("grouped", "g2,g1")
	for _, row := range []Row{
		{"image": "ALL", "file": "/b"}, {"image": "ALL", "file": "/a", "options": "0"},
		{"image": "i", "file": "/z", "options": "rw"}, {"image": "i", "options": "rw"}, {"file": "/none"},
		{"image": "g1", "file": "/g1"}, {"image": "g2", "file": "/g2"}, {"image": "i", "file": "/off", "disable": "1"},
	} {
		s.insert("litefile", row)
	}
	for image, want := range map[string]string{
		"i":       "\"i\",\"/a\",\"tmpfs\",,\n\"i\",\"/b\",\"tmpfs\",,\n\"i\",\"/z\",\"rw\",,\n",
		"grouped": "\"grouped\",\"/g2\",\"tmpfs\",,\n\"grouped\",\"/g1\",\"tmpfs\",,\n",
	} {
		m := member(t, s.export(Request{Image: image}), "litefile.csv")
		if got := string(m.Content.(bundle.Bytes)); got != want {
			t.Errorf("%s: got\n%swant\n%s", image, got, want)
		}
	}
}

func TestRawImagesAreLinksAndThenFilesInByteOrder(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i", "provmethod": "raw", "profile": "p", "osvers": "sles15", "osarch": "s390x"})
	s.insert("linuximage", Row{"imagename": "i"})
	dir := "install/raw/sles15/s390x/p/"
	for _, name := range []string{"b.img", "a.img", "c.img.bak", ".img"} {
		s.write(dir+name, name, 0o644)
	}
	must(t, os.Symlink("a.img", s.path(dir+"z.img")))
	must(t, os.Symlink("b.img", s.path(dir+"y.img")))
	must(t, os.Symlink("gone", s.path(dir+"x.img")))
	mkdir(t, s.root, dir+"d.img")
	e := s.export(Request{Image: "i"})
	expectProblems(t, e)
	want := []string{"z.img", "y.img", ".img", "a.img", "b.img", "manifest.xml"}
	want[0], want[1] = "y.img", "z.img"
	if got := memberNames(e); !slices.Equal(got, want) {
		t.Errorf("members %q, want %q", got, want)
	}
}

func TestExportIsTheSameEveryTime(t *testing.T) {
	s := newTestSite(t)
	s.statelite("i", "")
	first := s.export(Request{Image: "i"})
	for range 5 {
		again := s.export(Request{Image: "i"})
		if !slices.Equal(texts(first.Messages), texts(again.Messages)) || !slices.Equal(memberNames(first), memberNames(again)) {
			t.Fatal("two exports differ")
		}
		if string(member(t, first, "manifest.xml").Content.(bundle.Bytes)) != string(member(t, again, "manifest.xml").Content.(bundle.Bytes)) {
			t.Fatal("two manifests differ")
		}
	}
}

func TestExportDoesNotChangeTheCatalog(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i", "provmethod": "install", "profile": "p", "osvers": "rh9", "osarch": "arm"})
	s.insert("linuximage", Row{"imagename": "i"})
	s.write("install/custom/install/rh9/p.tmpl", "t", 0o644)
	c := s.catalog()
	row, _ := c.linuximage.one("i")
	before := maps.Clone(row)
	_, err := c.Export(t.Context(), s.openRoot(), Request{Image: "i"})
	must(t, err)
	if !maps.Equal(before, row) {
		t.Errorf("row %q has become %q", before, row)
	}
}

func TestExportStopsWhenItIsToldTo(t *testing.T) {
	s := newTestSite(t)
	s.statelite("i", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.catalog().Export(ctx, s.openRoot(), Request{Image: "i"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOddNamesThatNoBundleCanHaveRefuse(t *testing.T) {
	for _, name := range []string{".hidden", "..", " ", strings.Repeat("n", 256)} {
		s := newTestSite(t)
		s.image(name, nil)
		if e := s.export(Request{Image: name}); !e.Refused || len(e.Problems()) != 1 {
			t.Errorf("image %q: refused %v, %q", name, e.Refused, texts(e.Problems()))
		}
	}
}

// Names that only a mount cannot show can be exported by command.
func TestNamesThatOnlyADirectoryLacksRoomForAreExported(t *testing.T) {
	for _, name := range []string{"@n1", strings.Repeat("n", 255)} {
		s := newTestSite(t)
		s.image(name, nil)
		if e := s.export(Request{Image: name}); e.Refused {
			t.Errorf("image %q: %q", name, texts(e.Problems()))
		}
	}
}

func TestBadBytesNameTableAndColumn(t *testing.T) {
	for column, c := range map[string]struct{ table, says string }{
		"description": {"osimage", "Table osimage, column description of i: byte 0x01 at offset 2"},
		"pkgdir":      {"linuximage", "Table linuximage, column pkgdir of i: byte 0x01 at offset 2"},
	} {
		s := newTestSite(t)
		s.image("i", nil)
		s.set(c.table, column, "ok\x01")
		e := s.export(Request{Image: "i"})
		expectProblems(t, e, "Error: "+c.says)
		expectMembers(t, e, "t.tmpl")
	}
}

func TestValuesOfWhiteSpaceAloneAreLeftOutWithALine(t *testing.T) {
	for value, reported := range map[string]bool{"\u00a0": true, "\u0085": true, " \u2028\n": true, " \t": false, "x\u00a0": false} {
		s := newTestSite(t)
		s.image("i", Row{"comments": value})
		e := s.export(Request{Image: "i"})
		problems := texts(e.Problems())
		if e.Refused || len(problems) != map[bool]int{true: 1}[reported] || reported && !strings.Contains(problems[0], "Table linuximage, column comments of i is left out") {
			t.Errorf("%q: refused %v, %q", value, e.Refused, problems)
		}
		manifest := string(member(t, e, "manifest.xml").Content.(bundle.Bytes))
		if strings.Contains(manifest, "comments") != strings.HasPrefix(value, "x") {
			t.Errorf("%q: %s", value, manifest)
		}
	}
	s := newTestSite(t)
	s.image("\u00a0", nil)
	if e := s.export(Request{Image: "\u00a0"}); !e.Refused {
		t.Error("an image whose name is white space is not refused")
	}
}
