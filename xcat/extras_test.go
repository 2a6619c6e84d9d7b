package xcat

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

// extraSite has an image and some things to take along with it.
func extraSite(t *testing.T) *testSite {
	s := newTestSite(t)
	s.image("i", nil)
	s.write("d/.hid", "h", 0o644)
	s.write("d/f", "f", 0o640)
	s.write("d/in/g", "g", 0o644)
	s.write("e/f", "other", 0o644)
	s.write("hidden/.x", "x", 0o644)
	mkdir(t, s.root, "empty")
	must(t, os.Symlink("f", s.path("d/l")))
	must(t, os.Symlink("d/in", s.path("link")))
	must(t, os.Chmod(s.path("d"), 0o700))
	must(t, syscall.Chmod(s.path("d/in"), 0o1770))
	must(t, os.Lchown(s.path("d/in/g"), 7, 8))
	must(t, syscall.Chmod(s.path("d/in/g"), 0o4751))
	return s
}

func TestExtraDirectoriesKeepWhatIsInThem(t *testing.T) {
	s := extraSite(t)
	when := time.Unix(1e9, 5)
	must(t, os.Chtimes(s.path("d/in"), when, when))
	e := s.export(Request{Image: "i", Extras: []string{"/d"}})
	expectProblems(t, e)
	expectMembers(t, e, "manifest.xml", "t.tmpl", "extra", "extra/d", "extra/d/.hid", "extra/d/f", "extra/d/in", "extra/d/in/g", "extra/d/l")
	for name, want := range map[string]bundle.Member{
		"extra":        {Perm: 0o755},
		"extra/d":      {Perm: 0o755},
		"extra/d/f":    {Perm: 0o640},
		"extra/d/in":   {Perm: 0o1770, ModTime: when},
		"extra/d/in/g": {Perm: 0o4751, UID: 7, GID: 8},
		"extra/d/l":    {Perm: 0o777, Target: "f"},
	} {
		m := member(t, e, name)
		if m.Perm != want.Perm || m.UID != want.UID || m.GID != want.GID || m.Target != want.Target || !want.ModTime.IsZero() && !m.ModTime.Equal(want.ModTime) {
			t.Errorf("%s is %+v, want %+v", name, m, want)
		}
	}
}

func TestExtras(t *testing.T) {
	for name, c := range map[string]struct {
		extras   []string
		members  []string // below extra/
		manifest []string // dest, src of each
		problems []string
		refused  bool
	}{
		"file":                  {[]string{"/d/f"}, []string{"f"}, []string{"/d", "/d/f"}, nil, false},
		"file with destination": {[]string{"/d/f:/x:y"}, []string{"f"}, []string{"/x", "/d/f"}, nil, false},
		"file through a link":   {[]string{"/d/l"}, []string{"l"}, []string{"/d", "/d/l"}, nil, false},
		"relative to the root":  {[]string{"d/f", "./d/in"}, []string{"f", "d", "d/in", "d/in/g"}, []string{"/d", "/d/f", "/d/in", "/d/in"}, nil, false},
		"up and down":           {[]string{"/d/in/../../e/f"}, []string{"f"}, []string{"/e", "/e/f"}, nil, false},
		"spelling is kept":      {[]string{"/d//in/"}, []string{"d", "d/in", "d/in/g"}, []string{"/d//in/", "/d//in/"}, nil, false},
		"up behind a link": {[]string{"/link/../f"}, nil, nil,
			[]string{"Error: Extra file /link/../f of i: the path leads through a symbolic link and then up"}, true},
		"missing": {[]string{"/gone:/x", "", ":/x"}, nil, nil,
			[]string{"Error: Can not find Extra file /gone.  Argument will be ignored", "Error: Can not find Extra file .  Argument will be ignored", "Error: Can not find Extra file .  Argument will be ignored"}, false},
		"fifo":              {[]string{"/fifo"}, nil, nil, []string{"Error: Couldn't read file /fifo for i: it is a fifo. Skip."}, false},
		"empty directory":   {[]string{"/empty"}, nil, nil, []string{"Warning: Extra directory /empty of i is left out"}, false},
		"hidden files only": {[]string{"/hidden"}, nil, nil, []string{"Warning: Extra directory /hidden of i is left out"}, false},
		"everything":        {[]string{"/"}, nil, nil, []string{"Error: Extra directory / of i is the whole system"}, true},
		"one file twice":    {[]string{"/d/f", "/d/f:/x"}, []string{"f"}, []string{"/d", "/d/f", "/x", "/d/f"}, nil, false},
		"two files of a name": {[]string{"/d/f", "/e/f"}, []string{"f"}, nil,
			[]string{"Error: Extra files /d/f and /e/f have one base name"}, true},
		"a file and a directory of a name": {[]string{"/x/d", "/d/in"}, []string{"d", "d/in", "d/in/g"}, nil,
			[]string{"Error: Extra file /x/d has the name of a directory"}, true},
		"a directory in another": {[]string{"/d/in", "/d"}, []string{"d", "d/.hid", "d/f", "d/in", "d/in/g", "d/l"},
			[]string{"/d/in", "/d/in", "/d", "/d"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := extraSite(t)
			s.write("x/d", "x", 0o644)
			must(t, syscall.Mkfifo(s.path("fifo"), 0o644))
			e := s.export(Request{Image: "i", Extras: c.extras})
			expectProblems(t, e, c.problems...)
			if e.Refused != c.refused {
				t.Errorf("refused %v", e.Refused)
			}
			var members []string
			for _, name := range memberNames(e) {
				if below, ok := strings.CutPrefix(name, "extra/"); ok {
					members = append(members, below)
				}
			}
			expectSame(t, members, c.members)
			if e.Refused {
				return
			}
			manifest := string(member(t, e, "manifest.xml").Content.(bundle.Bytes))
			var want string
			for i := 0; i < len(c.manifest); i += 2 {
				want += "  <extra>\n    <dest>" + c.manifest[i] + "</dest>\n    <src>" + c.manifest[i+1] + "</src>\n  </extra>\n"
			}
			if !strings.Contains(manifest, "<xcatimage>\n"+want+"  <linuximage>") {
				t.Errorf("manifest\n%s\nlacks\n%s", manifest, want)
			}
		})
	}
}

// What leads to one extra directory may be inside of another.
func TestADirectoryInsideOfAnExtraKeepsItsModeWhateverLeadsThere(t *testing.T) {
	for _, extras := range [][]string{{"/d", "/d/in"}, {"/d/in", "/d"}} {
		s := extraSite(t)
		e := s.export(Request{Image: "i", Extras: extras})
		if m := member(t, e, "extra/d/in"); m.Perm != 0o1770 {
			t.Errorf("%q: mode %o", extras, m.Perm)
		}
	}
}

func TestARelativeExtraCountsFromWhereTheUserStands(t *testing.T) {
	s := extraSite(t)
	root, err := source.OpenRoot("/")
	must(t, err)
	t.Chdir(s.root)
	x := newExporter(t.Context(), s.catalog(), root, Request{Image: "i"})
	for given, want := range map[string]string{"d/f": s.root + "/d/f", "./d/.//f": s.root + "/d//f", "e/../d": s.root + "/d", "d/": s.root + "/d/", ".": s.root} {
		if got, err := x.extraPath(given); err != nil || got != want {
			t.Errorf("extraPath(%q) = %q, %v; want %q", given, got, err, want)
		}
	}
}

func expectSame(t *testing.T, got, want []string) {
	t.Helper()
	count := map[string]int{}
	for _, s := range got {
		count[s]++
	}
	for _, s := range want {
		count[s]--
	}
	for s, n := range count {
		if n != 0 {
			t.Errorf("%q: got\n\t%q\nwant\n\t%q", s, got, want)
			return
		}
	}
}
