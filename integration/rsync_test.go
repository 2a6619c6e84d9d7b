package integration

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// rsync's quick check believes sizes and times: a second run of an unchanged
// mount sends nothing, also by another server and also when it compares bytes.
func TestSecondRsyncSendsNothing(t *testing.T) {
	t.Parallel()
	needTools(t, "rsync")
	site := bulkSite(t)
	backup := t.TempDir()
	m := mountSite(t, site.Dir())
	first := run(t, "rsync", "-a", "--itemize-changes", m.dir+"/", backup)
	expectContains(t, "the first run", first, "stateless.tgz", "statelite.tgz", "kits.tgz.sha256", "kits/manifest.xml")
	expectText(t, "the second run", run(t, "rsync", "-a", "--itemize-changes", "--exclude=/", m.dir+"/", backup), "")
	m.stop(t)
	again := mountSite(t, site.Dir())
	rootTime := regexp.MustCompile(`(?m)^\.d\.\.t\.+ \./\n`) // of the mount itself: when it was made
	got := rootTime.ReplaceAllString(run(t, "rsync", "-a", "--itemize-changes", again.dir+"/", backup), "")
	expectText(t, "a run from another mount", got, "")
	got = rootTime.ReplaceAllString(run(t, "rsync", "-ac", "--itemize-changes", again.dir+"/", backup), "")
	expectText(t, "a run that compares bytes", got, "")
	shell(t, backup, "sha256sum --quiet -c *.sha256")
}

// A change of a small file in a large bundle moves few bytes: the segments
// that do not hold it stay as they are.
func TestRsyncSendsADelta(t *testing.T) {
	t.Parallel()
	needTools(t, "rsync")
	site := newSite(t)
	must(t, site.AddStatelite("lite", xcatsite.Noise("k", 1<<20), xcatsite.Noise("r", 1<<20)))
	root := site.TreeDir("lite")
	for i := range 2000 {
		name := root + "/usr/share/f" + strconv.Itoa(i)
		must(t, site.WriteFile(name, 0o644, xcatsite.Noise(name, 10_000)))
	}
	m := mountSite(t, site.Dir(), "--refresh", "100ms")
	backup := filepath.Join(t.TempDir(), "lite.tgz")
	run(t, "rsync", "-a", m.path("lite.tgz"), backup)
	before := statOne(t, backup)
	must(t, site.WriteFile(root+"/usr/share/f1000", 0o644, xcatsite.Noise("changed", 12_345)))
	eventually(t, "the change shows", func() bool { return statOne(t, m.path("lite.tgz")).size != before.size })
	stats := run(t, "rsync", "-a", "--no-whole-file", "--stats", m.path("lite.tgz"), backup)
	literal := regexp.MustCompile(`Literal data: ([0-9,]+)`).FindStringSubmatch(stats)
	if literal == nil {
		t.Fatalf("rsync --stats says %q", stats)
	}
	sent, err := strconv.ParseInt(strings.ReplaceAll(literal[1], ",", ""), 10, 64)
	must(t, err)
	if total := before.size; sent > total/4 {
		t.Errorf("one changed file of 12 KB sends %d of %d bytes", sent, total)
	}
	run(t, "cmp", m.path("lite.tgz"), backup)
}
