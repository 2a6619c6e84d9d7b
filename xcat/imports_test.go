package xcat

import (
	"slices"
	"testing"

	"imgexportfs/bundle"
)

// treeImage adds an image with a root tree below a directory, and rows of litefile.
func (s *testSite) treeImage(name, dir string, rows ...Row) {
	s.image(name, Row{"rootimgdir": dir, "pkglist": "/install/t.tmpl", "template": ""})
	s.set("osimage", "provmethod", "statelite")
	for _, file := range []string{"kernel", "initrd-statelite.gz", "rootimg/etc/hosts"} {
		s.write(dir+"/"+file, file, 0o644)
	}
	for _, row := range rows {
		s.insert("litefile", row)
	}
}

// Such a bundle is good, but imgimport leaves its tree packed and says that all is well.
func TestARootDirThatImgimportCannotUnpackInIsReported(t *testing.T) {
	for _, dir := range []string{"/a b", "/a&b", "/a$b", "/a'b", `/a"b`, "/a;b", "/a|b", "/a(b", "/a)b", "/a`b", "/a<b"} {
		s := newTestSite(t)
		s.treeImage("i", dir)
		e := s.export(Request{Image: "i"})
		expectProblems(t, e, "Error: imgimport will leave the root image tree of i packed, and say that it has imported it, because linuximage.rootimgdir "+dir+" holds ")
		if e.Refused {
			t.Errorf("%s is refused", dir)
		}
	}
	s := newTestSite(t)
	s.treeImage("i", "/install/x@y:+=~%")
	expectProblems(t, s.export(Request{Image: "i"}))
}

func TestAnImageNamedLikeMarkupIsRefused(t *testing.T) {
	for name, refused := range map[string]bool{"a<b>": true, "<<>>": true, "a<>b": false, "a>b<": false, "a<b": false} {
		s := newTestSite(t)
		s.image(name, nil)
		e := s.export(Request{Image: name})
		if e.Refused != refused {
			t.Errorf("%q: refused %v, %q", name, e.Refused, texts(e.Problems()))
		}
	}
}

func TestExtrasThatStopImgimportAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		image, extra string
		says         string
	}{
		"a file":                {"i", "/d/a b", `Error: Extra file /d/a b of i: imgimport would stop in the middle, because its path holds " "; rename it`},
		"a directory":           {"i", "/d/$x", `Error: Extra file /d/$x of i: imgimport would stop in the middle, because its path holds "$"; rename it`},
		"a destination":         {"i", "/d/f:/x;y", `Error: Extra file /d/f of i: imgimport would stop in the middle, because its destination /x;y holds ";"`},
		"the name of the image": {"i&j", "/d/f", `Error: Extra file /d/f of i&j: imgimport would stop in the middle, because the name of the image holds "&"; rename the image, or export it without -e`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSite(t)
			s.image(c.image, nil)
			for _, file := range []string{"d/a b", "d/$x/f", "d/f"} {
				s.write(file, "", 0o644)
			}
			e := s.export(Request{Image: c.image, Extras: []string{c.extra}})
			if expectProblems(t, e, c.says); !e.Refused {
				t.Error("not refused")
			}
		})
	}
	// Blanks of the image's name are no blanks in the bundle, and imgimport takes whatever
	// names are inside of a directory.
	s := newTestSite(t)
	s.image("i j", nil)
	s.write("d/a b;c", "", 0o644)
	expectProblems(t, s.export(Request{Image: "i j", Extras: []string{"/d"}}))
}

func TestRowsOfLitefileThatImgimportCutsAreReported(t *testing.T) {
	s := newTestSite(t)
	s.treeImage("i", "/s", Row{"image": "i", "file": "/a\nb"}, Row{"image": "i", "file": `/a"b`}, Row{"image": "ALL", "file": "/c", "options": `x"y`}, Row{"image": "i", "file": "/d"})
	expectProblems(t, s.export(Request{Image: "i"}),
		`Warning: The row of "/c" in the table litefile for i holds a "`,
		`Error: The row of "/a\nb" in the table litefile for i holds a newline`,
		`Warning: The row of "/a\"b" in the table litefile for i holds a "`)
	s = newTestSite(t)
	s.treeImage(`i"j`, "/s")
	expectProblems(t, s.export(Request{Image: `i"j`}), `Error: imgimport will not restore the rows of the table litefile for i"j`)
}

func TestOfAStateliteImageOfESXTheTreeIsExported(t *testing.T) {
	s := newTestSite(t)
	s.treeImage("i", "/s")
	s.set("osimage", "osvers", "esxi5")
	s.set("linuximage", "pkglist", "")
	e := s.export(Request{Image: "i"})
	expectProblems(t, e)
	if e.Refused || slices.Contains(memberNames(e), "kernel") || !slices.Contains(memberNames(e), treeName) {
		t.Errorf("refused %v, members %q", e.Refused, memberNames(e))
	}
}

func TestAnArchitectureThatContainsS390XHasDiskImages(t *testing.T) {
	for _, method := range []string{"netboot", "raw", "sysclone"} {
		s := newTestSite(t)
		s.image("i", Row{"template": ""})
		s.set("osimage", "provmethod", method)
		s.set("osimage", "osarch", "zs390x-31")
		s.write("install/"+method+"/rh9/s390x/p/disk.img", "disk", 0o644)
		e := s.export(Request{Image: "i"})
		expectProblems(t, e)
		if m := member(t, e, "disk.img"); m.Kind != bundle.Regular {
			t.Errorf("%s: %+v", method, m)
		}
	}
}
