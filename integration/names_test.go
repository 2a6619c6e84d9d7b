package integration

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// hiddenName reports whether an image that export takes has no name on a mount: an
// option would be made of its names by cp *.tgz.
func hiddenName(image string) bool { return strings.HasPrefix(image, "-") }

// errorsName is the name of an image's file of errors.
func errorsName(image string) string {
	name := strings.ReplaceAll(blanks.ReplaceAllString(image, "_"), "/", "%2F")
	if rest, dashed := strings.CutPrefix(name, "-"); dashed {
		name = "%2D" + rest
	}
	return name + ".errors"
}

// addPlain adds an image that needs nothing but one template.
func addPlain(t *testing.T, site *xcatsite.Site, names ...string) {
	t.Helper()
	must(t, site.WriteFile("/install/custom/plain.tmpl", 0o644, []byte("plain\n")))
	for _, name := range names {
		must(t, site.AddImage(name, "install", nil, xcatsite.Row{"template": "/install/custom/plain.tmpl"}))
	}
}

// Two images that would have one name: the first by byte order has it, the
// other gets a line that says so, and no file of the one shows the other.
func TestClashingNamesGoToTheFirst(t *testing.T) {
	site := newSite(t)
	addPlain(t, site, "a b", "a_b", "x", "x.tgz", "x.errors", "y\tz", "y  z")
	m := mountSite(t, site.Dir())
	expectLines(t, "names", listing(t, m.dir), []string{
		"a_b", "a_b.errors", "a_b.tgz", "a_b.tgz.sha256",
		"x", "x.errors.errors", "x.tgz", "x.tgz.errors", "x.tgz.sha256",
		"y_z", "y_z.errors", "y_z.tgz", "y_z.tgz.sha256",
	})
	for name, owner := range map[string]string{"a_b": "a b", "x": "x", "y_z": "y\tz"} {
		manifest := shell(t, "", `tar -xzOf "$1" "./$2/manifest.xml"`, m.path(name+".tgz"), name)
		expectContains(t, name+".tgz", manifest, "<imagename>"+owner+"</imagename>")
	}
	for file, loser := range map[string]string{"a_b.errors": "a_b", "x.tgz.errors": "x.tgz", "x.errors.errors": "x.errors", "y_z.errors": "y  z"} {
		text := run(t, "cat", m.path(file))
		if !strings.HasPrefix(text, "Error: ") || !strings.Contains(text, loser) {
			t.Errorf("%s does not say that %q clashes: %q", file, loser, text)
		}
	}
	check := program(t, t.TempDir(), "check", "--root", site.Dir())
	expectCode(t, check, 1)
	if lines := strings.Count(check.stdout+check.stderr, "\n"); lines < 4 {
		t.Errorf("check names %d problems of the 4 clashes: %s%s", lines, check.stdout, check.stderr)
	}
}

// Whatever a table holds as a name, the mount shows it as a file or says in
// a .errors file why not, and export does the same; but export takes a name
// that is only impossible beside the other names of a mount.
func TestOddNamesAreFilesOrProblems(t *testing.T) {
	long := func(n int) string { return strings.Repeat("l", n) }
	fine := []string{
		"name with $HOME & ; ' \" * ? \\ | <", "ünï", "new\nline", "x..", "%2F", "~", "#",
		"bundle.tar.gz", long(244), // with ".tgz.sha256" that is 255 bytes
	}
	bad := []string{"a/b", "/", "..", ".", ".hidden", "..x", "../../etc/x", long(300), " /etc/passwd"}
	onlyExport := []string{"@node", "-dash", "--help", long(245)}
	site := newSite(t)
	addPlain(t, site, fine...)
	addPlain(t, site, bad...)
	addPlain(t, site, onlyExport...)
	m := mountSite(t, site.Dir())
	names := listing(t, m.dir)
	for _, image := range fine {
		name := blanks.ReplaceAllString(image, "_")
		for _, file := range []string{name, name + ".tgz", name + ".tgz.sha256"} {
			if !slices.Contains(names, file) {
				t.Errorf("image %q: no %q on the mount", image, file)
			}
		}
		work := t.TempDir()
		expectCode(t, program(t, work, "export", "--root", site.Dir(), "--", image), 0)
		exported := filepath.Join(work, "./"+name+".tgz")
		run(t, "cmp", "--", m.path(name+".tgz"), exported)
		if got := run(t, "tar", "-tzf", exported, "--force-local", "--quoting-style=literal"); !strings.HasPrefix(got, "./\n./"+name+"/\n") {
			t.Errorf("image %q: members %q", image, got)
		}
	}
	for _, name := range names {
		problem := strings.HasSuffix(name, ".errors")
		if len(name) > 255 || strings.ContainsAny(name, "/") || !problem && (name[0] == '.' || name[0] == '@') || name[0] == '-' {
			t.Errorf("the mount shows %q", name)
		}
	}
	var problems int
	for _, name := range names {
		if strings.HasSuffix(name, ".errors") {
			problems++
			expectContains(t, name, run(t, "cat", "--", m.path(name)), "Error: ")
		}
	}
	if want := len(bad) + len(onlyExport); problems != want {
		t.Errorf("%d .errors files for %d impossible names", problems, want)
	}
	for _, image := range onlyExport {
		work := t.TempDir()
		expectCode(t, program(t, work, "export", "--root", site.Dir(), "--", image), 0)
		mustReadTarball(t, filepath.Join(work, "./"+image+".tgz"))
	}
	for _, image := range bad {
		work := t.TempDir()
		r := program(t, work, "export", "--root", site.Dir(), "--", image)
		expectCode(t, r, 1)
		expectContains(t, "stderr", r.stderr, "Error: ")
		expectLines(t, "files after a refused export", listing(t, work), nil)
	}
}

// Programs that get the names of a mount by a pattern take none of them for an option,
// and export takes the image all the same.
func TestNamesThatBeginWithADashAreNoOptions(t *testing.T) {
	site := newSite(t)
	addPlain(t, site, "-x", "fine")
	m := mountSite(t, site.Dir())
	expectLines(t, "names", listing(t, m.dir), []string{"%2Dx.errors", "fine", "fine.tgz", "fine.tgz.sha256"})
	expectContains(t, "%2Dx.errors", shell(t, m.dir, `cat *.errors`), `"-x"`, "option", "export")
	to := t.TempDir()
	shell(t, m.dir, `cp *.tgz "$1"`, to)
	expectLines(t, "copies", listing(t, to), []string{"fine.tgz"})
	expectCode(t, program(t, to, "export", "--root", site.Dir(), "--", "-x"), 0)
	mustReadTarball(t, filepath.Join(to, "-x.tgz"))
}

// A name cannot play tricks on a terminal.
func TestListAndCheckEscapeControlBytes(t *testing.T) {
	site := newSite(t)
	addPlain(t, site, "evil\x1b[2Jname", "tab\tand\nnewline")
	for _, command := range []string{"list", "check"} {
		r := program(t, t.TempDir(), command, "--root", site.Dir())
		if strings.ContainsAny(r.stdout+r.stderr, "\x1b\t") {
			t.Errorf("%s prints control bytes: %q %q", command, r.stdout, r.stderr)
		}
	}
}
