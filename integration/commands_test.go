package integration

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// columnsOf returns the fields of list's line for an image.
func columnsOf(t *testing.T, out, image string) []string {
	t.Helper()
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == image {
			return fields
		}
	}
	t.Fatalf("no line of %s in %q", image, out)
	return nil
}

// list shows every image with the size that the mount shows.
func TestListShowsSizesAndStates(t *testing.T) {
	site := smallSite(t, 3<<20)
	must(t, site.Exec("linuximage", `UPDATE linuximage SET otherpkglist = '/gone' WHERE imagename = 'foo'`))
	must(t, site.AddImage("nothing", "netboot", nil, nil))
	out := program(t, t.TempDir(), "list", "--root", site.Dir(), "--bytes")
	head := strings.Fields(strings.SplitN(out.stdout, "\n", 2)[0])
	expectLines(t, "columns", head, []string{"IMAGE", "PROVMETHOD", "OSVERS", "ARCH", "PROFILE", "SIZE", "STATE"})
	m := mountSite(t, site.Dir())
	for image, state := range map[string]string{"foo": "1 problem", "bar": "ok"} {
		fields := columnsOf(t, out.stdout, image)
		size := strconv.FormatInt(statOne(t, m.path(image+".tgz")).size, 10)
		if fields[5] != size || strings.Join(fields[6:], " ") != state {
			t.Errorf("list says %q, want size %s and state %s", fields, size, state)
		}
	}
	expectContains(t, "the line of nothing", strings.Join(columnsOf(t, out.stdout, "nothing"), " "), "refused: ")
	human := program(t, t.TempDir(), "list", "--root", site.Dir())
	if !regexp.MustCompile(`(?m)^bar .* 3\.\d+MiB +ok$`).MatchString(human.stdout) {
		t.Errorf("list without --bytes: %q", human.stdout)
	}
}

// list --json is for programs.
func TestListAsJSON(t *testing.T) {
	site := smallSite(t, 1000)
	addPlain(t, site, "odd\t\"name\"\n")
	r := program(t, t.TempDir(), "list", "--root", site.Dir(), "--json")
	expectCode(t, r, 0)
	var images []map[string]any
	if err := json.Unmarshal([]byte(r.stdout), &images); err != nil {
		t.Fatalf("%v: %s", err, r.stdout)
	}
	if len(images) != 3 {
		t.Errorf("%d images, want 3: %s", len(images), r.stdout)
	}
	if !strings.Contains(r.stdout, `odd\t\"name\"\n`) {
		t.Errorf("the odd name is not there: %s", r.stdout)
	}
}

// check says every problem, one a line, and its exit code says if there is
// one.
func TestCheckSaysEveryProblem(t *testing.T) {
	site := smallSite(t, 1000)
	fine := program(t, t.TempDir(), "check", "--root", site.Dir())
	expectCode(t, fine, 0)
	expectContains(t, "stdout", fine.stdout, "2 images", "no problems")
	must(t, site.Exec("linuximage", `UPDATE linuximage SET otherpkglist = '/gone1,/gone2' WHERE imagename = 'foo'`))
	must(t, site.AddImage("nothing", "netboot", nil, nil))
	must(t, site.AddImage("bare", "raw", nil, nil))
	bad := program(t, t.TempDir(), "check", "--root", site.Dir())
	expectCode(t, bad, 1)
	expectContains(t, "output", bad.stdout+bad.stderr,
		"foo: Error: Couldn't find file /gone1 for foo. Skip.\n",
		"foo: Error: Couldn't find file /gone2 for foo. Skip.\n",
		"nothing: Error: Couldn't find ramdisk (initrd-stateless.gz) for  nothing\n",
		"bare: Warning: ")
	one := program(t, t.TempDir(), "check", "--root", site.Dir(), "bar")
	expectCode(t, one, 0)
	expectContains(t, "stdout", one.stdout, "1 image", "no problems")
	unknown := program(t, t.TempDir(), "check", "--root", site.Dir(), "bar", "nosuch")
	expectCode(t, unknown, 1)
	expectContains(t, "output", unknown.stdout+unknown.stderr, "nosuch: Error: Cannot find image 'nosuch' from the osimage table.")
}

// check of the recorded site finds the problems that imgexport reported, and
// the one image whose name cannot be a file.
func TestCheckOfTheRecordedSite(t *testing.T) {
	site := conformanceSite(t)
	r := program(t, t.TempDir(), "check", "--root", site)
	expectCode(t, r, 1)
	out := r.stdout + r.stderr
	for _, c := range loadCases(t) {
		if len(c.Args) > 0 {
			continue
		}
		e := expectationOf(t, c, site)
		if e.noSuchImage() {
			continue
		}
		for _, line := range e.errors {
			expectContains(t, "check", out, c.Image+": "+line+"\n")
		}
		if len(e.errors)+len(e.says) == 0 && strings.Contains(out, "\n"+c.Image+": ") {
			t.Errorf("check has a problem with %q", c.Image)
		}
	}
	expectContains(t, "check", out, "c69/slash: Error: ")
}

// version says what it is, for bug reports.
func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		r := program(t, t.TempDir(), args...)
		expectCode(t, r, 0)
		expectContains(t, "stdout", r.stdout, "imgexportfs", "go1.")
	}
}

// Kits and the other commands agree on what an image is: a mount, an export
// and a listing of one site say the same size.
func TestSizesAgree(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	m := mountSite(t, site.Dir())
	out := program(t, t.TempDir(), "list", "--root", site.Dir(), "--bytes").stdout
	for _, image := range bulkImages {
		work := t.TempDir()
		expectCode(t, program(t, work, "export", "--root", site.Dir(), image), 0)
		exported := statOne(t, work+"/"+image+".tgz").size
		mounted := statOne(t, m.path(image+".tgz")).size
		listed := columnsOf(t, out, image)[5]
		if exported != mounted || listed != strconv.FormatInt(mounted, 10) {
			t.Errorf("%s: export wrote %d bytes, the mount shows %d, list says %s", image, exported, mounted, listed)
		}
	}
}

// A site without images is no error.
func TestEmptySite(t *testing.T) {
	site := newSite(t)
	must(t, site.Exec("osimage", `DELETE FROM osimage`))
	m := mountSite(t, site.Dir())
	expectLines(t, "names", listing(t, m.dir), nil)
	expectCode(t, program(t, t.TempDir(), "list", "--root", site.Dir()), 0)
	expectCode(t, program(t, t.TempDir(), "check", "--root", site.Dir()), 0)
	must(t, site.Insert("osimage", xcatsite.Row{"imagename": "bare"}))
	expectCode(t, program(t, t.TempDir(), "check", "--root", site.Dir()), 1)
}
