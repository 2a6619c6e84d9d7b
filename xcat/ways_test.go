package xcat

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// way is an image of one way to boot, with all files that it needs.
type way struct {
	osimage, linuximage Row
	files               []string // below the root
	members             []string // besides the manifest
	manifest            []string // elements
}

// ways are the ways that an image boots in, from tables that name files and from searches.
var ways = map[string]way{
	"install": {
		Row{"provmethod": "install"}, Row{"template": "/t.tmpl"},
		[]string{"t.tmpl"}, []string{"t.tmpl"},
		[]string{"<media>required</media>", "<template>/t.tmpl</template>"},
	},
	"install, searched": {
		Row{"provmethod": "install"}, Row{},
		[]string{"install/custom/install/rhels9/p.tmpl"}, []string{"p.tmpl"},
		[]string{"<media>required</media>", "<template>/install/custom/install/rhels9/p.tmpl</template>"},
	},
	"stateless": {
		Row{"provmethod": "netboot"}, Row{"pkglist": "/p.lst", "rootimgdir": "/d"},
		[]string{"p.lst", "d/kernel", "d/initrd-stateless.gz", "d/rootimg.cpio.gz", "d/rootimg.cpio.xz"},
		[]string{"p.lst", "kernel", "initrd-stateless.gz", "rootimg.cpio.gz"},
		[]string{"<kernel>/d/kernel</kernel>", "<ramdisk>/d/initrd-stateless.gz</ramdisk>", "<rootimg>/d/rootimg.cpio.gz</rootimg>"},
	},
	"stateless, searched": {
		Row{"provmethod": "netboot"}, Row{},
		[]string{
			"install/custom/netboot/rhels/p.pkglist", "install/netboot/rhels9/x86_64/p/kernel", "install/netboot/rhels9/x86_64/p/initrd-stateless.gz",
			"install/netboot/rhels9/x86_64/p/rootimg.cpio.gz", "install/netboot/rhels9/x86_64/p/rootimg.cpio.xz",
		},
		[]string{"p.pkglist", "kernel", "initrd-stateless.gz", "rootimg.cpio.xz"},
		[]string{"<rootimg>/install/netboot/rhels9/x86_64/p/rootimg.cpio.xz</rootimg>", "<pkglist>/install/custom/netboot/rhels/p.pkglist</pkglist>"},
	},
	"stateless, in the last of the forms": {
		Row{"provmethod": "netboot"}, Row{"pkglist": "/p.lst", "rootimgdir": "/d"},
		[]string{"p.lst", "d/kernel", "d/initrd-stateless.gz", "d/rootimg.gz"},
		[]string{"p.lst", "kernel", "initrd-stateless.gz", "rootimg.gz"},
		[]string{"<rootimg>/d/rootimg.gz</rootimg>"},
	},
	"stateless of ESX": { // imgexport takes no files of it
		Row{"provmethod": "netboot", "osvers": "esxi6"}, Row{},
		nil, nil, nil,
	},
	"statelite": {
		Row{"provmethod": "statelite"}, Row{"pkglist": "/p.lst", "rootimgdir": "/d"},
		[]string{"p.lst", "d/kernel", "d/initrd-statelite.gz", "d/rootimg/etc/hosts"},
		[]string{"p.lst", "kernel", "initrd-statelite.gz", "rootimgtree.gz", "litefile.csv"},
		[]string{"<litefile>/d/litefile.csv</litefile>", "<rootimgtree>/d/rootimgtree.gz</rootimgtree>"},
	},
	"s390x": {
		Row{"provmethod": "netboot", "osarch": "s390x"}, Row{},
		[]string{"install/netboot/rhels9/s390x/p/a.img"}, []string{"a.img"},
		[]string{"<files>/install/netboot/rhels9/s390x/p/a.img</files>"},
	},
	"raw": {
		Row{"provmethod": "raw", "osarch": "s390x"}, Row{},
		[]string{"install/raw/rhels9/s390x/p/a.img"}, []string{"a.img"},
		[]string{"<files>/install/raw/rhels9/s390x/p/a.img</files>"},
	},
	"sysclone": {
		Row{"provmethod": "sysclone", "osarch": "s390x"}, Row{},
		[]string{"install/sysclone/rhels9/s390x/p/a.img"}, []string{"a.img"}, nil,
	},
	"Windows": {
		Row{"provmethod": "install", "osvers": "win2k8"}, Row{},
		[]string{"install/custom/install/windows/p.tmpl"}, []string{"p.tmpl"}, nil,
	},
}

// site makes a site with the image, called i.
func (w way) site(t *testing.T) *testSite {
	s := newTestSite(t)
	osimage := Row{"imagename": "i", "profile": "p", "osvers": "rhels9", "osarch": "x86_64"}
	for column, value := range w.osimage {
		osimage[column] = value
	}
	linuximage := Row{"imagename": "i"}
	for column, value := range w.linuximage {
		linuximage[column] = value
	}
	s.insert("osimage", osimage)
	s.insert("linuximage", linuximage)
	for _, file := range w.files {
		s.write(file, file, 0o644)
	}
	return s
}

func TestEachWayToBootHasItsFiles(t *testing.T) {
	for name, w := range ways {
		t.Run(name, func(t *testing.T) {
			e := w.site(t).export(Request{Image: "i"})
			if e.Refused {
				t.Fatalf("refused: %q", texts(e.Problems()))
			}
			expectMembers(t, e, append(slices.Clone(w.members), "manifest.xml")...)
			for _, element := range w.manifest {
				if !strings.Contains(manifestOf(t, e), element) {
					t.Errorf("manifest\n%s\nlacks %s", manifestOf(t, e), element)
				}
			}
		})
	}
}

// No image is exported without a file that it needs.
func TestEachWayToBootNeedsEachOfItsFiles(t *testing.T) {
	for name, w := range ways {
		for _, file := range w.files {
			s := w.site(t)
			must(t, os.RemoveAll(s.path(file)))
			for _, other := range w.files { // that serves as well
				if strings.Contains(file, "rootimg.cpio.") && strings.Contains(other, "rootimg.cpio.") {
					must(t, os.RemoveAll(s.path(other)))
				}
			}
			if strings.Contains(file, "/rootimg/") {
				must(t, os.RemoveAll(s.path("d/rootimg")))
			}
			e := s.export(Request{Image: "i"})
			listed := strings.HasPrefix(file, "p.lst") || file == "t.tmpl" // of a column: imgexport says so and goes on
			if e.Refused == listed || len(e.Problems()) == 0 {
				t.Errorf("%s without %s: refused %v, %q", name, file, e.Refused, texts(e.Problems()))
			}
		}
	}
}

// A refusal is the last word: what imgexport would say behind it is not said.
func TestNothingIsSaidBehindARefusal(t *testing.T) {
	w := ways["stateless"]
	s := w.site(t)
	s.set("linuximage", "exlist", "/gone.exlist")
	must(t, os.Remove(s.path("d/kernel")))
	e := s.export(Request{Image: "i"})
	expectProblems(t, e, "Error: Couldn't find kernel")
}

func TestRowsWithoutWhatImgexportNeedsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *testSite)
		says   string
	}{
		"no provmethod":                    {func(s *testSite) { s.set("osimage", "provmethod", "") }, "The 'provmethod' field is not set for 'i'"},
		"no profile":                       {func(s *testSite) { s.set("osimage", "profile", "") }, "The 'profile' field is not set for 'i'"},
		"no release":                       {func(s *testSite) { s.set("osimage", "osvers", "") }, "The 'osvers' field is not set for 'i'"},
		"no architecture":                  {func(s *testSite) { s.set("osimage", "osarch", "0") }, "The 'osarch' field is not set for 'i'"},
		"an unknown provmethod":            {func(s *testSite) { s.set("osimage", "provmethod", "boot") }, "'provemethod' boot is not supported"},
		"a word that contains one":         {func(s *testSite) { s.set("osimage", "provmethod", "reinstall") }, "'provemethod' reinstall is not supported"},
		"sysclone of another architecture": {func(s *testSite) { s.set("osimage", "provmethod", "sysclone") }, "sysclone is not supported for osarch 'x86_64'"},
		"no row in linuximage":             {func(s *testSite) { s.set("linuximage", "imagename", "j") }, "Cannot find image 'i' from the linuximage table."},
		"no row in osimage":                {func(s *testSite) { s.set("osimage", "imagename", "j") }, "Cannot find image 'i' from the osimage table."},
		"a kit component that is unknown":  {func(s *testSite) { s.set("osimage", "kitcomponents", "c") }, "Cannot find kitname of 'c'"},
		"a second one": {func(s *testSite) {
			s.set("osimage", "kitcomponents", "known,c")
			s.insert("kitcomponent", Row{"kitcompname": "known", "kitname": "k"})
		}, "Cannot find kitname of 'c'"},
		"the only kit is unknown": {func(s *testSite) {
			s.set("osimage", "kitcomponents", "a")
			s.insert("kitcomponent", Row{"kitcompname": "a", "kitname": "a"})
		}, "Cannot find kit 'a'"},
		"the second kit is unknown": {func(s *testSite) {
			s.set("osimage", "kitcomponents", "a,b")
			s.insert("kitcomponent", Row{"kitcompname": "a", "kitname": "a"})
			s.insert("kitcomponent", Row{"kitcompname": "b", "kitname": "b"})
			s.insert("kit", Row{"kitname": "a"})
		}, "Cannot find kit 'b'"},
	} {
		s := ways["install"].site(t)
		c.change(s)
		e := s.export(Request{Image: "i"})
		if !e.Refused || !strings.Contains(strings.Join(texts(e.Problems()), "\n"), c.says) {
			t.Errorf("%s: refused %v, %q", name, e.Refused, texts(e.Problems()))
		}
	}
}

// Each column with a list of files has its files in the bundle.
func TestFilesOfEveryListAreExported(t *testing.T) {
	for _, column := range []string{"template", "pkglist", "otherpkglist", "postinstall", "exlist", "synclists"} {
		s := ways["install"].site(t)
		s.write("lists/one", "", 0o644)
		s.write("lists/two", "", 0o644)
		table := "linuximage"
		if column == "synclists" {
			table = "osimage"
		}
		s.set(table, column, "/lists/one,/lists/two")
		names := memberNames(s.export(Request{Image: "i"}))
		if !slices.Contains(names, "one") || !slices.Contains(names, "two") {
			t.Errorf("%s: members %q", column, names)
		}
	}
}

// XML::Simple does not read a single element as a list.
func TestASingleKitHasAStubBeforeIt(t *testing.T) {
	for kits, want := range map[string]int{"a": 2, "a,b": 2} {
		s := ways["install"].site(t)
		s.set("osimage", "kitcomponents", kits)
		for kit := range strings.SplitSeq(kits, ",") {
			s.insert("kitcomponent", Row{"kitcompname": kit, "kitname": kit})
			s.insert("kit", Row{"kitname": kit})
			s.insert("kitrepo", Row{"kitreponame": "repo-" + kit, "kitname": kit})
			s.insert("kitrepo", Row{"kitname": kit}) // nothing to know it by
		}
		manifest := manifestOf(t, s.export(Request{Image: "i"}))
		for _, element := range []string{"<kit>", "<kitrepo>", "<kitcomp>"} {
			if n := strings.Count(manifest, element); n != want {
				t.Errorf("kits %s: %d elements %s, want %d in\n%s", kits, n, element, want, manifest)
			}
		}
	}
}

func TestSourcesAreWhatRowsName(t *testing.T) {
	s := ways["statelite"].site(t)
	s.set("osimage", "kitcomponents", "c")
	s.set("osimage", "synclists", "/sync")
	s.insert("kitcomponent", Row{"kitcompname": "c", "kitname": "k"})
	s.insert("kit", Row{"kitname": "k", "kitdir": "/kits/k"})
	got := s.catalog().Sources()
	for _, want := range []Source{{"i", "/p.lst", false}, {"i", "/sync", false}, {"i", "/d/rootimg", true}, {"i", "/kits/k", true}} {
		if !slices.Contains(got, want) {
			t.Errorf("%+v is not among %+v", want, got)
		}
	}
	s = ways["stateless, searched"].site(t)
	got = s.catalog().Sources()
	for _, want := range []Source{
		{"i", "/install/custom/netboot/rhels9/", false}, {"i", "/opt/xcat/share/xcat/netboot/rhels9/", false}, {"i", "/install/netboot/rhels9/x86_64/p/", false},
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%+v is not among %+v", want, got)
		}
	}
}

// What is generated belongs to a bundle, and a refused image has none.
func TestARefusedImageShowsNothingThatIsGenerated(t *testing.T) {
	s := ways["statelite"].site(t)
	s.write("x/extra", "", 0o644)
	s.set("linuximage", "exlist", "/x/extra")
	e := s.export(Request{Image: "i"})
	if !e.Refused {
		t.Error("a reserved name is taken")
	}
	expectMembers(t, e, "p.lst", "kernel", "initrd-statelite.gz")
}
