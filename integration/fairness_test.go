package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// fairSite has images whose bundles hold one file each that has to be
// compressed: "large0" and "large1" of 192 MiB, and "small" of 6 MiB.
func fairSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	text := xcatsite.Text("large", 1<<20)
	for name, parts := range map[string]int{"large0": 192, "large1": 192, "small": 6} {
		must(t, site.AddImage(name, "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": name}, nil))
		must(t, site.WriteFile(fairFile(name), 0o644, nil))
		appendParts(t, site.Path(fairFile(name)), text, parts)
		must(t, site.Touch(fairFile(name), xcatsite.Epoch))
	}
	return site
}

func fairFile(image string) string { return "/install/raw/sles15/s390x/" + image + "/a.img" }

// How long a first stat of 6 MiB is to take, and may take on a machine that is
// busy with other tests.
const statAim, statAtMost = 300 * time.Millisecond, time.Second

// A stat that has to find a size does not wait for what is made ahead for a
// copy.
func TestStatDoesNotWaitForACopy(t *testing.T) {
	if raced() {
		t.Skip("the race detector takes several times the time")
	}
	const refresh = 50 * time.Millisecond
	site := fairSite(t)
	m := mountSite(t, site.Dir(), "--memory", "64MiB", "--refresh", refresh.String())
	statOne(t, m.path("large0.tgz"))
	var alone, took []time.Duration
	for range 3 {
		alone = append(alone, firstStat(t, site, m, refresh))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	const copyAll = `while true; do dd if="$0" of=/dev/null bs=1M iflag=nocache status=none; done`
	copying := process{args: []string{"bash", "-c", copyAll, m.path("large0.tgz")}}.command(ctx)
	must(t, copying.Start())
	before := m.cpu(t)
	eventually(t, "the copy is on its way", func() bool { return m.cpu(t)-before > 200*time.Millisecond })
	for range 5 {
		took = append(took, firstStat(t, site, m, refresh))
	}
	cancel()
	_ = copying.Wait() // it was killed
	expectPromptStats(t, "a copy", took, alone)
}

// A stat that has to find a size does not wait until a larger one, which
// somebody asked for before, is found.
func TestStatDoesNotWaitForALargerOne(t *testing.T) {
	if raced() {
		t.Skip("the race detector takes several times the time")
	}
	const refresh = 50 * time.Millisecond
	site := fairSite(t)
	m := mountSite(t, site.Dir(), "--memory", "64MiB", "--refresh", refresh.String())
	var alone, took []time.Duration
	statOne(t, m.path("large0.tgz"))
	for range 3 {
		alone = append(alone, firstStat(t, site, m, refresh))
	}
	for range 3 {
		must(t, site.Touch(fairFile("large0"), time.Now()))
		must(t, site.Touch(fairFile("small"), time.Now()))
		time.Sleep(2 * refresh)
		before := m.cpu(t)
		larger := startWaiter(t, "cat", m.path("large0.tgz"))
		eventually(t, "the larger size is being found", func() bool { return m.cpu(t)-before > 100*time.Millisecond })
		took = append(took, process{args: []string{"stat", m.path("small.tgz")}}.run(t).took.Round(time.Millisecond))
		must(t, larger.cmd.Process.Kill())
		<-larger.ended
		statOne(t, m.path("large0.tgz")) // nothing of it goes on beside the next look
	}
	expectPromptStats(t, "the sizing of a larger bundle", took, alone)
}

// firstStat changes the small image and says how long a stat of it takes.
func firstStat(t *testing.T, site *xcatsite.Site, m *mount, refresh time.Duration) time.Duration {
	t.Helper()
	must(t, site.Touch(fairFile("small"), time.Now()))
	time.Sleep(2 * refresh)
	return process{args: []string{"stat", m.path("small.tgz")}}.run(t).took.Round(time.Millisecond)
}

func expectPromptStats(t *testing.T, beside string, took, alone []time.Duration) {
	t.Helper()
	t.Logf("a first stat of 6 MiB takes %v alone and %v beside %s; aim: %v", alone, took, beside, statAim)
	slices.Sort(took)
	if median := took[len(took)/2]; median > statAtMost {
		t.Errorf("a first stat of 6 MiB takes %v beside %s, want at most %v", median, beside, statAtMost)
	}
}

// Two copies at once take turns: when one has got half of its bytes, the other
// one has got a good part of its own.
func TestCopiesTakeTurns(t *testing.T) {
	site := fairSite(t)
	m := mountSite(t, site.Dir(), "--memory", "16MiB", "--refresh", "1h") // sizing leaves little of the first in memory
	var sizes, copied []int64
	dir := t.TempDir()
	ended := make(chan result, 2)
	for i := range 2 {
		sizes = append(sizes, statOne(t, m.path(fmt.Sprintf("large%d.tgz", i))).size)
	}
	for i := range 2 {
		go func() {
			args := []string{"bash", "-c", `cat "$0" > "$1"`, m.path(fmt.Sprintf("large%d.tgz", i)), filepath.Join(dir, fmt.Sprint(i))}
			ended <- process{args: args, mayFail: true}.run(t)
		}()
	}
	eventually(t, "a copy is half done", func() bool {
		copied = nil
		for i := range 2 {
			info, err := os.Stat(filepath.Join(dir, fmt.Sprint(i)))
			if err != nil {
				return false
			}
			copied = append(copied, 100*info.Size()/sizes[i])
		}
		return slices.Max(copied) >= 50
	})
	t.Logf("the copies have got %d %% of their bytes", copied)
	if slices.Min(copied) < 20 {
		t.Errorf("when one copy is half done, the copies have got %d %% of their bytes, want 20 or more each", copied)
	}
	for range 2 {
		if r := <-ended; r.code != 0 {
			t.Errorf("a copy: %s", r.stderr)
		}
	}
}
