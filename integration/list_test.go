package integration

import (
	"encoding/json"
	"strings"
	"testing"
)

// Names from the database may hold any bytes but NUL. A program gets them back exactly.
func TestListAsJSONGivesNamesByteByByte(t *testing.T) {
	site := newSite(t)
	addPlain(t, site, "latin1 \xe9", "plain é")
	r := program(t, t.TempDir(), "list", "--root", site.Dir(), "--json")
	expectCode(t, r, 0)
	var images []struct {
		Image    string
		ImageRaw []byte `json:"image_raw"`
		NameRaw  []byte `json:"name_raw"`
	}
	must(t, json.Unmarshal([]byte(r.stdout), &images))
	if len(images) != 2 || string(images[0].ImageRaw) != "latin1 \xe9" || string(images[0].NameRaw) != "latin1_\xe9" ||
		images[0].Image != `latin1 \xe9` || images[1].Image != "plain é" || images[1].ImageRaw != nil {
		t.Errorf("%+v", images)
	}
}

// list says what there is, and ends with code 0 whatever it is, as its help and the
// table of exit codes say.
func TestListOfRefusedImagesIsNoFailure(t *testing.T) {
	site := smallSite(t, 1000)
	must(t, site.AddImage("nothing", "netboot", nil, nil))
	addPlain(t, site, "-x", strings.Repeat("n", 200))
	for _, flag := range []string{"--bytes", "--json", "--no-size"} {
		r := program(t, t.TempDir(), "list", "--root", site.Dir(), flag)
		expectCode(t, r, 0)
		expectContains(t, flag, r.stdout, "refused: ", "nothing", "-x")
		for line := range strings.Lines(r.stdout) {
			if strings.HasPrefix(line, "foo ") && strings.Contains(line, strings.Repeat(" ", 60)) {
				t.Errorf("a long name widens other rows: %q", line)
			}
		}
	}
	expectContains(t, "exit codes", program(t, t.TempDir(), "--help").stdout, "1  check: an image has problems")
	expectContains(t, "help", program(t, t.TempDir(), "list", "--help").stdout, "exit code 0", "--no-size")
}

// check takes globs, as export does.
func TestCheckTakesGlobs(t *testing.T) {
	site := smallSite(t, 1000)
	addPlain(t, site, "p1", "p2")
	r := program(t, t.TempDir(), "check", "--root", site.Dir(), "p*", "foo")
	expectCode(t, r, 0)
	expectText(t, "stdout", r.stdout, "3 images, no problems\n")
}
