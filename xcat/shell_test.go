package xcat

import (
	"os"
	"strings"
	"testing"
)

// Each byte that means something to the shell of imgimport is refused in a path.
func TestEveryByteOfAShellIsSpecial(t *testing.T) {
	for _, c := range " \t\n&$'\"`;|()<>\\" {
		if firstSpecial("a"+string(c)+"b") == "" {
			t.Errorf("%q is not special", c)
		}
	}
	if got := firstSpecial("/install/x@y:+=~%-_.,"); got != "" {
		t.Errorf("%s is special", got)
	}
}

func TestADestinationOfZeroIsNone(t *testing.T) {
	for dest, want := range map[string]string{"0": "/d", " ": "/d", "/x": "/x", "00": "00"} {
		s := extraSite(t)
		e := s.export(Request{Image: "i", Extras: []string{"/d/f:" + dest}})
		if !strings.Contains(manifestOf(t, e), "<dest>"+want+"</dest>") {
			t.Errorf("destination %q: manifest\n%s", dest, manifestOf(t, e))
		}
	}
}

// Both ways lead to a file of one size and are two files.
func TestAPathUpBehindALinkIsRefusedWhateverItIsLike(t *testing.T) {
	s := extraSite(t)
	s.write("d/twin", "1", 0o644)
	s.write("twin", "2", 0o644)
	expectProblems(t, s.export(Request{Image: "i", Extras: []string{"/link/../twin"}}),
		"Error: Extra file /link/../twin of i: the path leads through a symbolic link and then up")
	must(t, os.Remove(s.path("twin")))
	must(t, os.Link(s.path("d/twin"), s.path("twin")))
	expectProblems(t, s.export(Request{Image: "i", Extras: []string{"/link/../twin"}}))
}

func TestDirectoriesThatLeadToAnExtraAreListed(t *testing.T) {
	s := extraSite(t)
	s.write("one/two/three/f", "", 0o644)
	e := s.export(Request{Image: "i", Extras: []string{"/one/two/three"}})
	expectMembers(t, e, "manifest.xml", "t.tmpl", "extra", "extra/one", "extra/one/two", "extra/one/two/three", "extra/one/two/three/f")
}

func TestExtraFilesLoseWhatTheUmaskTakes(t *testing.T) {
	s := extraSite(t)
	s.write("wide", "", 0o777)
	must(t, os.Chmod(s.path("wide"), 0o777|os.ModeSetuid))
	if m := member(t, s.export(Request{Image: "i", Extras: []string{"/wide"}}), "extra/wide"); m.Perm != 0o755 {
		t.Errorf("mode %o", m.Perm)
	}
}

// All values of a chain count that ends without a last record.
func TestAChainOfRecordsThatDoesNotEndHasAllItsValues(t *testing.T) {
	c := newCatalog(tablesOf(map[string][]Row{
		"nodelist":    {{"node": "n", "groups": "g1,g2"}},
		"postscripts": {{"node": "n", "postscripts": "a,+=NEXTRECORD"}, {"node": "g1", "postscripts": "b,+=NEXTRECORD"}, {"node": "g2", "postscripts": "c+=NEXTRECORD"}},
	}))
	if got := c.nodeAttribute("n", "postscripts"); got != "a,b,c" {
		t.Errorf("got %q", got)
	}
}

// The file of errors of an image without names of its own keeps its name.
func TestNoImageIsNamedLikeTheErrorsOfAnother(t *testing.T) {
	offers := Offers([]string{"a%00", "a\x00"})
	if offers[0].ErrorsName() != offers[1].ErrorsName() || offers[1].Image != "a%00" || offers[1].Clash == nil {
		t.Errorf("%+v and %+v", offers[0], offers[1])
	}
}
