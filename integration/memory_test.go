package integration

import (
	"fmt"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// crowdedSite has n images whose bundles share no byte: every other one is
// stored, the rest has to be deflated.
func crowdedSite(t *testing.T, n, size int) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	for i := range n {
		name := fmt.Sprintf("image%02d", i)
		content := xcatsite.Noise
		if i%2 == 1 {
			content = xcatsite.Text
		}
		must(t, site.AddStateless(name, xcatsite.Stateless{
			Kernel: []byte(name), Ramdisk: []byte(name), Rootimg: content(name, size),
		}))
	}
	return site
}

// One budget holds for all: many readers of different bundles at once do not
// add up, and each gets the right bytes.
func TestManyReadersStayInsideTheBudget(t *testing.T) {
	t.Parallel()
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	const readers, budget, besides = 32, 64 << 20, 64 << 20
	site := crowdedSite(t, readers, 8<<20)
	// Every core has a worker with buffers of its own.
	m := mountSiteEnv(t, site.Dir(), []string{"GOMAXPROCS=2"}, "--memory", "64MiB")
	script := `
		cd "$1"
		for bundle in *.tgz; do $2 < "$bundle" | sha256sum > "$3/$bundle" & done
		wait
		cat "$3"/*`
	first := shell(t, "", script, m.dir, "dd bs=128K status=none", t.TempDir())
	expectText(t, "sums of reads by the megabyte", shell(t, "", script, m.dir, "dd bs=1M status=none", t.TempDir()), first)
	if n := strings.Count(first, "\n"); n != readers {
		t.Fatalf("%d bundles were read, want %d", n, readers)
	}
	peak := m.peakMemory(t)
	t.Logf("%d readers: at most %.1f MiB resident with a budget of %d MiB", readers, float64(peak)/(1<<20), budget>>20)
	if peak > budget+besides {
		t.Errorf("the server has had %d bytes resident, want at most the budget of %d and %d", peak, budget, besides)
	}
}
