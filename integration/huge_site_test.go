package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// A site may have very many nodes. Noderanges of a group, of a range and of an expression
// find the first of them, in export and on a mount, or say that they are too long.
func TestHugeNumberOfNodes(t *testing.T) {
	t.Parallel()
	nodes := 10_000
	if soaking() {
		nodes = 1_000_000
	}
	site := newSite(t)
	must(t, site.AddStateful("foo", nil, nil))
	addNodes(t, site, nodes)
	must(t, site.Insert("postscripts", xcatsite.Row{"node": "n1", "postscripts": "of-n1"}))
	must(t, site.Insert("postscripts", xcatsite.Row{"node": "n10", "postscripts": "of-n10"}))
	m := mountSite(t, site.Dir(), "--memory", "64MiB", "--refresh", "1h")
	for noderange, want := range map[string]string{
		"all": "of-n1", "n1": "of-n1", fmt.Sprintf("n10-n%d", nodes): "of-n10", fmt.Sprintf("n[10-%d]", nodes): "of-n10", "all,-n1": "of-n10", "groups==all": "of-n1", "n10+5": "of-n10", "all@n10": "of-n10",
	} {
		started := time.Now()
		manifest := run(t, "cat", m.path("@"+noderange+"/foo/manifest.xml"))
		expectText(t, "@"+noderange, scriptsOf([]byte(manifest)), want)
		work := t.TempDir()
		expectCode(t, program(t, work, "export", "--root", site.Dir(), "foo", "-p", noderange), 0)
		expectText(t, noderange, scriptsOf(mustReadTarball(t, work+"/foo.tgz").manifest), want)
		t.Logf("%d nodes, %s: %v", nodes, noderange, time.Since(started))
	}
	r := program(t, t.TempDir(), "export", "--root", site.Dir(), "foo", "-p", strings.Repeat(fmt.Sprintf("n10-n%d,", nodes), 8000))
	expectCode(t, r, 1)
	expectContains(t, "stderr", r.stderr, "noderange n10-n", "too long")
	t.Logf("%d nodes: at most %d MiB resident", nodes, m.peakMemory(t)>>20)
	if most := int64(128<<20) + int64(nodes)*2000; m.peakMemory(t) > most && !raced() {
		t.Errorf("the server has had %d MiB resident, want at most %d", m.peakMemory(t)>>20, most>>20)
	}
}

// Ten thousand images are listed, checked and exported one by one; nothing is of another.
func TestHugeNumberOfImages(t *testing.T) {
	if !soaking() {
		t.Skip("make soak: TestManyImagesStayInsideTheBudget is the quick part")
	}
	const images = 10_000
	site := manySite(t, images)
	m := mountSite(t, site.Dir(), "--memory", "64MiB", "--refresh", "1h")
	work := t.TempDir()
	out := process{args: []string{"bash", "-euo", "pipefail", "-c", `cp "$1"/*.tgz .; ls | wc -l; for b in *.tgz; do tar -tzf "$b" "./${b%.tgz}/manifest.xml"; done | wc -l`, "bash", m.dir}, dir: work, limit: 10 * time.Minute}.run(t)
	expectText(t, "copies and manifests", out.stdout, fmt.Sprintf("%d\n%d\n", images, images))
	r := process{args: []string{programFile, "verify", "--root", site.Dir(), work}, limit: 10 * time.Minute}.run(t)
	expectCode(t, r, 0)
	if peak := m.peakMemory(t); peak > 192<<20 {
		t.Errorf("the server has had %d MiB resident", peak>>20)
	}
}
