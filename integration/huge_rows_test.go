package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// hugeRow is longer than any value that a person writes.
const hugeRow = 1_000_000

// A row may hold a million bytes. The manifest has them, or a message says what they are
// not, and the program stays small.
func TestHugeRowsAreInTheManifestOrRefused(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	text := strings.Repeat("0123456789", hugeRow/10)
	must(t, site.AddStateful("described", xcatsite.Row{"description": text}, nil))
	must(t, site.AddStateful("listed", nil, xcatsite.Row{"otherpkglist": "/" + text}))
	must(t, site.AddStateful("commas", xcatsite.Row{"kitcomponents": strings.Repeat(",", hugeRow)}, xcatsite.Row{"otherpkglist": strings.Repeat(",", hugeRow)}))
	must(t, site.AddStateful("slashes", nil, xcatsite.Row{"otherpkglist": strings.Repeat("/", hugeRow) + "x"}))
	must(t, site.AddStateful("kits", xcatsite.Row{"kitcomponents": strings.Repeat("a,", hugeRow/2)}, nil))
	must(t, site.AddStateful(text, nil, nil))
	must(t, site.Insert("nodelist", xcatsite.Row{"node": "n1", "groups": "all," + text}))
	must(t, site.Insert("postscripts", xcatsite.Row{"node": "n1", "postscripts": text}))
	must(t, site.Insert("nodelist", xcatsite.Row{"node": text, "groups": strings.Repeat("g,", hugeRow/2)}))
	m := mountSite(t, site.Dir(), "--memory", "64MiB")
	for _, name := range []string{"described", "commas", "@n1/described"} {
		run(t, "cat", m.path(name+".tgz"))
	}
	for file, element := range map[string]string{"described/manifest.xml": "description", "@n1/described/manifest.xml": "postscripts"} {
		if !strings.Contains(run(t, "cat", m.path(file)), "<"+element+">"+text+"</"+element+">\n") {
			t.Errorf("%s does not have all of %s", file, element)
		}
	}
	for image, says := range map[string]string{"listed": "Couldn't find file /0123456789", "kits": "a", "slashes": "Couldn't"} {
		r := program(t, t.TempDir(), "export", "--root", site.Dir(), "--", image)
		expectQuick(t, r)
		if (r.code != 0) != strings.Contains(r.stderr, "Error: ") {
			t.Errorf("%.20s: exit code %d: %s", image, r.code, clip(r.stderr))
		}
		if r.code != 0 {
			expectContains(t, "stderr", r.stderr, says)
		}
	}
	r := program(t, t.TempDir(), "check", "--root", site.Dir())
	expectCode(t, r, 1)
	expectQuick(t, r)
	expectContains(t, "check", r.stdout+r.stderr, "image name of 1000000 bytes")
	if peak := m.peakMemory(t); peak > 256<<20 {
		t.Errorf("the server has had %d MiB resident", peak>>20)
	}
}

// A noderange of as many bytes as a command line can have is answered or refused.
func TestHugeNoderangesAreAnsweredOrRefused(t *testing.T) {
	t.Parallel()
	site := nodeSite(t)
	const argumentMax = 130_000 // of one argument of execve(2)
	for name, noderange := range map[string]string{
		"ranges": strings.Repeat("n1-n999999,", argumentMax/11), "parentheses": strings.Repeat("(", argumentMax), "brackets": "n" + strings.Repeat("[1-3]a", argumentMax/6),
		"names": strings.Repeat("n1,", argumentMax/3), "expression": "/" + strings.Repeat("(n?.{0,100})", argumentMax/13), "digits": "n1-n" + strings.Repeat("9", argumentMax),
	} {
		r := process{args: []string{programFile, "export", "--root", site.Dir(), "foo", "-p", noderange}, dir: t.TempDir(), limit: 2 * time.Minute, mayFail: true}.run(t)
		t.Logf("%s: exit code %d after %v", name, r.code, r.took)
		if r.code != 0 || name == "expression" {
			expectContains(t, name, r.stderr, "Error: ", noderange[:50])
		}
		if len(r.stderr) > 3*argumentMax {
			t.Errorf("%s: %d bytes of messages", name, len(r.stderr))
		}
	}
}

// Lists of thousands: extras of the configuration file, kits of an image, rows of litefile,
// files of a list.
func TestHugeListsAreWhole(t *testing.T) {
	t.Parallel()
	n := 1_000
	if soaking() {
		n = 5_000
	}
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	many := func(table, columns, values string) {
		t.Helper()
		must(t, site.Exec(table, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
			INSERT INTO %s (%s) SELECT %s FROM n`, n, table, columns, values)))
	}
	many("litefile", "image, file, options", `'lite', '/etc/file' || i, 'tmpfs'`)
	many("kit", "kitname, basename, version, kitdir", `'kit' || i, 'kit', '1', '/install/kits/kit' || i`)
	many("kitcomponent", "kitcompname, kitname, basename", `'comp' || i, 'kit' || i, 'comp'`)
	many("kitrepo", "kitreponame, kitname", `'repo' || i, 'kit' || i`)
	var components, lists, extras []string
	for i := 1; i <= n; i++ {
		components = append(components, "comp"+strconv.Itoa(i))
		lists = append(lists, fmt.Sprintf("/install/lists/l%d", i))
		extras = append(extras, fmt.Sprintf("/install/extras/e%d", i))
		must(t, site.WriteFile(lists[i-1], 0o644, []byte("x")))
		must(t, site.WriteFile(extras[i-1], 0o644, []byte("x")))
		must(t, site.WriteFile(fmt.Sprintf("/install/kits/kit%d/file", i), 0o644, []byte("x")))
	}
	must(t, site.Exec("osimage", `UPDATE osimage SET kitcomponents = ?`, strings.Join(components, ",")))
	must(t, site.Exec("linuximage", `UPDATE linuximage SET otherpkglist = ?`, strings.Join(lists, ",")))
	config := filepath.Join(t.TempDir(), "config.yaml")
	must(t, os.WriteFile(config, []byte("images: {lite: {extra: ["+strings.Join(extras, ",")+"]}}\n"), 0o600))
	m := mountSite(t, site.Dir(), "--config", config, "--memory", "64MiB")
	work := t.TempDir()
	out := shell(t, work, `
		cp "$1/lite.tgz" .
		tar -xzf lite.tgz
		ls lite | grep -c '^kit'; ls lite | grep -c '^l[0-9]'; ls lite/extra | wc -l; grep -c '/etc/file' lite/litefile.csv
		grep -c '<kit>' lite/manifest.xml; grep -c '<extra>' lite/manifest.xml; grep -o '<otherpkglist>.*</otherpkglist>' lite/manifest.xml | tr , '\n' | wc -l`, m.dir)
	for i, line := range strings.Fields(out) {
		if line != strconv.Itoa(n) {
			t.Errorf("count %d is %s, want %d", i, line, n)
		}
	}
	if found := typesOf(t, m.dir, "lite.errors"); len(found) > 0 {
		t.Errorf("lite.errors says %s", clip(run(t, "cat", m.path("lite.errors"))))
	}
	verdict := program(t, work, "verify", "--root", site.Dir(), "--config", config, "lite.tgz")
	expectCode(t, verdict, 0)
	if peak := m.peakMemory(t); peak > 256<<20 {
		t.Errorf("the server has had %d MiB resident", peak>>20)
	}
}
