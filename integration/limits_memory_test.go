package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// The memory that a host gives the program: in a control group, and as addresses.

// tightMemory is what a control group gives beyond --memory: for the rest of the program,
// and for what the kernel caches of files.
const tightMemory = 128 << 20

// In a control group with 128 MiB more than --memory, 64 readers get the right bytes, and
// nothing is killed.
func TestAMountLivesInATightControlGroup(t *testing.T) {
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	const readers = 64
	site := crowdedSite(t, readers, 1<<20)
	group := newMemoryGroup(t, memoryBudget+tightMemory)
	want := rightChecksums(t, site)
	m := mountSite(t, site.Dir(), "--memory", "64MiB", "--refresh", "1h")
	group.add(t, m.cmd.Process.Pid)
	const all = `printf '%s\0' ./*.tgz | sort -z | xargs -0 -n 1 -P 64 `
	expectText(t, "checksums", shell(t, m.dir, all+`sha256sum | sort -k 2`), want)
	direct := shell(t, m.dir, all+`sh -c 'dd if="$0" bs=1M iflag=direct status=none | sha256sum | sed "s|-|$0|"' | sort -k 2`)
	expectText(t, "checksums of direct reads", direct, want)
	group.expectNoKill(t)
	t.Logf("at most %d MiB in the group, %d MiB resident", group.peak(t)>>20, m.peakMemory(t)>>20)
}

// An export of many images lives in such a group as well.
func TestAnExportLivesInATightControlGroup(t *testing.T) {
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	site := crowdedSite(t, 28, 8<<20)
	group := newMemoryGroup(t, memoryBudget+tightMemory)
	tight, free := t.TempDir(), t.TempDir()
	args := []string{"export", "--root", site.Dir(), "--memory", "64MiB", "--level", "1", "--all"}
	expectCode(t, group.run(t, tight, append(args, tight+"/")...), 0)
	expectCode(t, program(t, free, append(args, free+"/")...), 0)
	run(t, "diff", "-r", tight, free)
	group.expectNoKill(t)
	t.Logf("at most %d MiB in the group", group.peak(t)>>20)
}

// addressesMin are the addresses that the program needs beyond --memory (ulimit -v). The
// Go runtime reserves address space for its tables, of which little is ever used.
const addressesMin = 1 << 30

// With too few addresses (RLIMIT_AS) the program ends with an error at once or does its
// work; nothing is left of a bundle that was not written.
func TestFewAddressesAreAnErrorAtMost(t *testing.T) {
	t.Parallel()
	if raced() {
		t.Skip("the race detector takes terabytes of addresses")
	}
	site := crowdedSite(t, 8, 4<<20)
	want := rightChecksums(t, site)
	limits := []int64{memoryBudget + tightMemory, 600 << 20, 800 << 20, memoryBudget + addressesMin}
	if soaking() {
		limits = nil
		for mb := int64(64); mb<<20 <= memoryBudget+addressesMin; mb += 32 {
			limits = append(limits, mb<<20)
		}
	}
	for _, limit := range limits {
		work := t.TempDir()
		r := limited(t, work, fmt.Sprint("-v ", limit>>10), "export", "--root", site.Dir(), "--memory", "64MiB", "--all", work+"/")
		names, err := readNames(work)
		must(t, err)
		said, _, _ := strings.Cut(r.stderr, "\n")
		t.Logf("%d MiB of addresses: exit code %d, %d bundles: %s", limit>>20, r.code, len(names), said)
		switch {
		case r.code == 0:
			expectText(t, fmt.Sprintf("checksums with %d MiB of addresses", limit>>20), checksums(t, work), want)
		case limit >= memoryBudget+addressesMin:
			t.Errorf("exit code %d: %s", r.code, clip(r.stderr))
		case !strings.Contains(r.stderr, "memory"):
			t.Errorf("%d MiB of addresses: exit code %d: %s", limit>>20, r.code, clip(r.stderr))
		}
		for _, name := range names {
			if strings.HasPrefix(name, ".") {
				t.Errorf("%s is left", name)
				continue
			}
			run(t, "gzip", "-t", filepath.Join(work, name))
		}
	}
}

// A mount whose addresses are limited serves 64 readers.
func TestAMountWithLimitedAddresses(t *testing.T) {
	t.Parallel()
	if raced() {
		t.Skip("the race detector takes terabytes of addresses")
	}
	needFUSE(t)
	site, dir := crowdedSite(t, 64, 1<<20), t.TempDir()
	want := rightChecksums(t, site)
	limit := fmt.Sprint("-v ", (memoryBudget+addressesMin)>>10)
	expectCode(t, limited(t, "/", limit, "mount", "--daemon", "--memory", "64MiB", "--root", site.Dir(), dir), 0)
	unmountAtEnd(t, dir)
	sums := shell(t, dir, `printf '%s\0' ./*.tgz | xargs -0 -n 1 -P 64 sha256sum | sort -k 2`)
	expectText(t, "checksums", sums, want)
	expectCode(t, program(t, "/", "umount", dir), 0)
}
