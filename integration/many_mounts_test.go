package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// One host may have many mounts, each of a server of its own. All give the same bytes, one
// umount ends them all, and nothing is left. SOAK makes 200.
func TestManyMountsOnOneHost(t *testing.T) {
	count := 8
	if soaking() {
		count = 200
	}
	site := smallSite(t, 1000)
	want := rightChecksums(t, site)
	started := time.Now()
	mounts := make([]*mount, count)
	for i := range mounts {
		needFUSE(t)
		mounts[i] = startServer(t, t.TempDir(), site.Dir(), nil, "--refresh", "1h")
		t.Cleanup(func() { mounts[i].stop(t) })
	}
	dirs := make([]string, count)
	for i, m := range mounts {
		m.waitReady(t)
		dirs[i] = m.dir
	}
	t.Logf("%d mounts: there after %v", count, time.Since(started))
	started = time.Now()
	for _, dir := range dirs {
		expectText(t, "checksums", checksums(t, dir), want)
	}
	t.Logf("%d mounts: read after %v; %s", count, time.Since(started), held(t, mounts))

	started = time.Now()
	r := program(t, "/", append([]string{"umount", "--wait"}, dirs...)...)
	expectCode(t, r, 0)
	expectText(t, "stderr of umount", r.stderr, "")
	for _, m := range mounts {
		if code := m.wait(t); code != 0 {
			t.Errorf("a server has ended with code %d: %s", code, m.log)
		}
		m.expectUnmounted(t)
	}
	t.Logf("%d mounts: unmounted after %v", count, time.Since(started))
}

// held says what the servers have at most, and together.
func held(t *testing.T, mounts []*mount) string {
	t.Helper()
	var resident, own, descriptors, threads, all int64
	for _, m := range mounts {
		proc := fmt.Sprintf("/proc/%d/", m.cmd.Process.Pid)
		open, err := os.ReadDir(proc + "fd")
		must(t, err)
		resident, descriptors = max(resident, m.memory(t)), max(descriptors, int64(len(open)))
		threads = max(threads, m.procValue(t, "status", "Threads"))
		rollup, err := os.ReadFile(proc + "smaps_rollup")
		must(t, err)
		for line := range strings.Lines(string(rollup)) {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[0] != "Pss:" {
				continue
			}
			kb, err := strconv.ParseInt(fields[1], 10, 64)
			must(t, err)
			own, all = max(own, kb<<10), all+kb<<10
		}
	}
	return fmt.Sprintf("each at most %d MiB resident, %d MiB of its own and its share, %d descriptors, %d threads; %d MiB in all",
		resident>>20, own>>20, descriptors, threads, all>>20)
}
