package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestConformanceOfExport makes every recorded request with the command
// `imgexportfs export`.
func TestConformanceOfExport(t *testing.T) {
	site := conformanceSite(t)
	for _, c := range loadCases(t) {
		t.Run(c.Case, func(t *testing.T) {
			t.Parallel()
			e := expectationOf(t, c, site)
			work := t.TempDir()
			r := program(t, work, c.exportArgs(site)...)
			expectCode(t, r, e.exit)
			e.holdStdout(t, r.stdout, work)
			e.holdProblems(t, "stderr", r.stderr)
			e.holdDirectory(t, work)
		})
	}
}

// TestConformanceOfMount makes every recorded request that needs no option of
// export through one mount, by copying the bundle.
func TestConformanceOfMount(t *testing.T) {
	t.Parallel()
	site := conformanceSite(t)
	m := mountSite(t, site)
	for _, c := range loadCases(t) {
		if c.hasExtras() {
			continue
		}
		t.Run(c.Case, func(t *testing.T) {
			e := expectationOf(t, c, site)
			dir := m.dir
			if c.node() != "" {
				dir = m.path("@" + c.node())
			}
			e.holdMounted(t, dir, c, site)
		})
	}
}

// holdStdout compares the data lines. A refusal comes at any point before
// the bundle would be made.
func (e *expectation) holdStdout(t *testing.T, got, work string) {
	t.Helper()
	want := strings.Replace(e.stdout, "CWD...", work+"...", 1)
	if e.bundle != "" || e.exit == 0 || !strings.Contains(want, "\nCompressing ") {
		expectText(t, "stdout", got, want)
		return
	}
	if !strings.HasPrefix(want, got) || !strings.HasPrefix(got, "Exporting ") || strings.Contains(got, "\nCompressing ") {
		t.Errorf("stdout of a refusal is %q, want the beginning of %q", got, want)
	}
}

// holdProblems compares the lines of stderr, or of a NAME.errors file:
// imgexport's own byte for byte and in order, this project's own by phrase.
func (e *expectation) holdProblems(t *testing.T, what, got string) {
	t.Helper()
	errors, says := e.errors, e.says
	for line := range strings.Lines(got) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case len(errors) > 0 && line == errors[0]:
			errors = errors[1:]
		case len(says) > 0 && says[0].matches(line):
			says = says[1:]
		case strings.HasPrefix(line, "Did you mean "): // which the link imgexport does not ask
		default:
			t.Errorf("%s: unasked line %q", what, line)
		}
	}
	if len(errors) > 0 || len(says) > 0 {
		t.Errorf("%s: missing %q and %v; got %q", what, errors, says, got)
	}
}

func (p phrase) matches(line string) bool {
	if !strings.HasPrefix(line, p.level+": ") {
		return false
	}
	for _, name := range p.names {
		if !strings.Contains(line, name) {
			return false
		}
	}
	return true
}

// holdDirectory asks for exactly the bundle in the directory where export ran.
func (e *expectation) holdDirectory(t *testing.T, work string) {
	t.Helper()
	entries, err := os.ReadDir(work)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if e.bundle != "" {
		want = []string{e.bundle}
	}
	if !slices.Equal(got, want) {
		t.Errorf("export left %q in its directory, want %q", got, want)
		return
	}
	if e.bundle != "" {
		e.holdBundle(t, filepath.Join(work, e.bundle))
	}
}

// holdBundle compares what is in a bundle.
func (e *expectation) holdBundle(t *testing.T, path string) {
	t.Helper()
	b := mustReadTarball(t, path)
	for i, line := range b.members {
		if strings.HasSuffix(line, " . dir") {
			b.members[i] = anyTop
		}
	}
	slices.Sort(b.members)
	expectLines(t, "members", b.members, e.members)
	expectText(t, "manifest.xml", string(b.manifest), string(e.manifest))
	expectText(t, "litefile.csv", string(b.litefile), string(e.litefile))
	expectLines(t, "entries of rootimgtree.gz", b.tree, e.tree)
	for name, h := range b.headers {
		if h.uid != 0 || h.gid != 0 {
			t.Errorf("member %s belongs to %d:%d, want 0:0", name, h.uid, h.gid)
		}
	}
	name := strings.TrimSuffix(e.bundle, ".tgz")
	if want := []string{".", "./" + name, "./" + name + "/manifest.xml"}; !slices.Equal(b.order[:min(3, len(b.order))], want) {
		t.Errorf("the archive starts with %q, want %q", b.order[:min(3, len(b.order))], want)
	}
}

// holdMounted looks at an image's files in the directory dir of a mount.
func (e *expectation) holdMounted(t *testing.T, dir string, c recorded, site string) {
	t.Helper()
	if e.badNode() {
		expectLines(t, "files on the mount", typesOf(t, filepath.Dir(dir), filepath.Base(dir)), nil)
		return
	}
	name := blanks.ReplaceAllString(c.Image, "_")
	if hiddenName(c.Image) && e.bundle != "" {
		got := typesOf(t, dir, errorsName(c.Image), name, name+".tgz", name+".tgz.sha256")
		expectLines(t, "files on the mount", got, []string{errorsName(c.Image) + " regular file"})
		return
	}
	errorsFile := errorsName(c.Image)
	var want []string
	if !e.noSuchImage() && !strings.Contains(name, "/") {
		want = append(want, name+" directory")
	}
	if !e.noSuchImage() && len(e.errors)+len(e.says) > 0 {
		want = append(want, errorsFile+" regular file")
	}
	if e.bundle != "" {
		want = append(want, name+".tgz regular file", name+".tgz.sha256 regular file")
	}
	got := typesOf(t, dir, name, errorsFile, name+".tgz", name+".tgz.sha256")
	expectLines(t, "files on the mount", got, want)
	if slices.Contains(got, errorsFile+" regular file") {
		e.holdProblems(t, errorsFile, run(t, "cat", "--", filepath.Join(dir, errorsFile)))
	}
	if e.bundle != "" && !t.Failed() {
		e.holdCopies(t, dir, c, site)
	}
}

// holdCopies compares the bundle that cp copies from the mount with what is
// expected, and with what export writes.
func (e *expectation) holdCopies(t *testing.T, dir string, c recorded, site string) {
	t.Helper()
	work := t.TempDir()
	run(t, "cp", "--", filepath.Join(dir, e.bundle), work)
	copied := filepath.Join(work, "./"+e.bundle)
	e.holdBundle(t, copied)
	expectCode(t, program(t, work, c.exportArgs(site, "exported")...), e.exit)
	run(t, "cmp", "--", copied, filepath.Join(work, "exported"))
}

// badNode reports whether -p names no node.
func (e *expectation) badNode() bool {
	return slices.ContainsFunc(e.errors, func(line string) bool {
		return strings.HasSuffix(line, " is not a valide node.")
	})
}

// noSuchImage reports whether there is no visible row of osimage.
func (e *expectation) noSuchImage() bool {
	return slices.ContainsFunc(e.errors, func(line string) bool {
		return strings.HasSuffix(line, " from the osimage table.")
	})
}

// blanks is what Perl's \s matches; a run of it is one "_" in a bundle's name.
var blanks = regexp.MustCompile(`[ \t\n\v\f\r]+`)

// typesOf says which of the names are in dir, and what they are.
func typesOf(t *testing.T, dir string, names ...string) []string {
	t.Helper()
	var types []string
	for _, name := range names {
		r := process{args: []string{"stat", "-c", "%F", "--", filepath.Join(dir, name)}, mayFail: true}.run(t)
		if r.code == 0 {
			types = append(types, fmt.Sprintf("%s %s", name, strings.TrimSpace(r.stdout)))
		} else if !strings.Contains(r.stderr, "No such file or directory") {
			t.Errorf("stat %s: %s", name, r.stderr)
		}
	}
	return types
}
