package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

func init() { helpers["names"] = helperNames }

// memoryBudget is the --memory of the tests of this file.
const memoryBudget = 64 << 20

// expectWithinBudget holds the most memory that the server has had against the
// budget, 64 MiB for all else, and 3 MiB for each core beyond 2.
func expectWithinBudget(t *testing.T, m *mount, cores int, what string) {
	t.Helper()
	atMost := int64(memoryBudget + 64<<20 + max(cores-2, 0)*3<<20)
	peak := m.peakMemory(t)
	t.Logf("%s, GOMAXPROCS=%d: at most %d MiB resident, may be %d MiB", what, cores, peak>>20, atMost>>20)
	if peak > atMost {
		t.Errorf("%s, GOMAXPROCS=%d: the server has had %d MiB resident, want at most %d MiB", what, cores, peak>>20, atMost>>20)
	}
}

// eachCores runs a test on few and on many processors.
func eachCores(t *testing.T, test func(t *testing.T, env []string, cores int)) {
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	for _, cores := range []int{2, 16} {
		t.Run(fmt.Sprintf("GOMAXPROCS=%d", cores), func(t *testing.T) {
			test(t, []string{fmt.Sprintf("GOMAXPROCS=%d", cores)}, cores)
		})
	}
}

// Views of one image share what they hold of its tree: many nodes do not cost
// many times the memory of one.
func TestManyViewsStayInsideTheBudget(t *testing.T) {
	t.Parallel()
	const views, dirs, perDir = 300, 150, 99 // and the directories: 15,000 entries
	const atMost = 30                        // seconds for all views
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	for d := range dirs {
		makeCrowd(t, fmt.Sprintf("%s/d%03d", site.Path(site.TreeDir("lite")), d), d, perDir)
	}
	addNodes(t, site, views)
	eachCores(t, func(t *testing.T, env []string, cores int) {
		m := mountSiteEnv(t, site.Dir(), env, "--memory", "64MiB", "--refresh", "1h")
		r := process{args: []string{"bash", "-euo", "pipefail", "-c", `
			seq 1 $2 | sed "s|.*|$1/@n&/lite.tgz|" | timeout $3 xargs stat -c %s | sort -u | wc -l`,
			"bash", m.dir, strconv.Itoa(views), strconv.Itoa(atMost)}, mayFail: true}.run(t)
		t.Logf("stat of %d views takes %v", views, r.took)
		if r.code != 0 {
			t.Errorf("stat of %d views takes more than %d s, or fails: %s", views, atMost, r.stderr)
		} else {
			expectText(t, "number of sizes", strings.TrimSpace(r.stdout), "1")
		}
		expectWithinBudget(t, m, cores, "300 views of 15,000 files")
	})
}

// addNodes adds the nodes n1, n2 and so on.
func addNodes(t *testing.T, site *xcatsite.Site, n int) {
	t.Helper()
	must(t, site.Exec("nodelist", fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
		INSERT INTO nodelist (node, groups) SELECT 'n' || i, 'all' FROM n`, n)))
}

// Blocks are charged with what they hold: small bundles of which the first bytes
// are read do not hold a large buffer each, however they are compressed.
func TestManySmallBundlesStayInsideTheBudget(t *testing.T) {
	const images = 400
	site := manySite(t, images)
	must(t, site.WriteFile("/install/t.tmpl", 0o644, xcatsite.Noise("template", 100_000)))
	for _, compression := range []string{"store", "deflate"} {
		t.Run(compression, func(t *testing.T) {
			eachCores(t, func(t *testing.T, env []string, cores int) {
				m := mountSiteEnv(t, site.Dir(), env, "--memory", "64MiB", "--compression", compression, "--refresh", "1h")
				n := shell(t, m.dir, `printf '%s\0' *.tgz | xargs -0 -n 10 -P 64 head -q -c 1 | wc -c`)
				expectText(t, "number of bytes read", strings.TrimSpace(n), strconv.Itoa(images))
				expectWithinBudget(t, m, cores, fmt.Sprintf("the first bytes of %d small bundles", images))
			})
		})
	}
}

// Many readers of large bundles at once share the budget.
func TestManyReadersOfLargeBundlesStayInsideTheBudget(t *testing.T) {
	t.Parallel()
	const readers = 64
	site := crowdedSite(t, readers, 4<<20)
	for _, compression := range []string{"store", "deflate"} {
		t.Run(compression, func(t *testing.T) {
			eachCores(t, func(t *testing.T, env []string, cores int) {
				m := mountSiteEnv(t, site.Dir(), env, "--memory", "64MiB", "--compression", compression, "--level", "1", "--refresh", "1h")
				shell(t, m.dir, `printf '%s\0' *.tgz | xargs -0 -n 1 -P 64 cat | wc -c`)
				expectWithinBudget(t, m, cores, fmt.Sprintf("%d readers", readers))
			})
		})
	}
}

// Ten thousand images fit as well.
func TestManyImagesStayInsideTheBudget(t *testing.T) {
	t.Parallel()
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	m := mountSiteEnv(t, manySite(t, 10_000).Dir(), []string{"GOMAXPROCS=2"}, "--memory", "64MiB", "--refresh", "1h")
	shell(t, "", `ls -l "$1" | wc -l`, m.dir)
	expectWithinBudget(t, m, 2, "ls -l of 10,000 images")
}

// helperNames DIR FROM TO asks for as many nodes' folders by names that nobody
// has used before, and for an image in each.
func helperNames(args []string) error {
	from, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	to, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	var st syscall.Stat_t
	for i := from; i < to; i++ {
		name := fmt.Sprintf("%s/@n1,n%d,n%d/foo", args[0], 1+i%300, 1+i/300)
		for err := error(syscall.EINTR); err != nil; {
			if err = syscall.Stat(name, &st); err != nil && err != syscall.EINTR {
				return fmt.Errorf("stat %s: %w", name, err)
			}
		}
	}
	return nil
}

// Names that any user can make up do not fill the server's memory: what the
// kernel has forgotten is forgotten.
func TestMadeUpNamesAreForgotten(t *testing.T) {
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	// The first names fill the list of the views that are remembered.
	const warm, names, atMost = 12_000, 24_000, 8 << 20
	site := smallSite(t, 1000)
	addNodes(t, site, 300)
	m := mountSiteEnv(t, site.Dir(), []string{"GOMAXPROCS=2", "GOGC=20"}, "--memory", "32MiB", "--refresh", "1h")
	ask := func(from, to int) int64 {
		helperProcess(t, "names", m.dir, strconv.Itoa(from), strconv.Itoa(to)).run(t)
		for range 3 { // the kernel drops what was used lately at the second time only
			must(t, os.WriteFile("/proc/sys/vm/drop_caches", []byte("2"), 0))
			time.Sleep(500 * time.Millisecond)
		}
		return m.memory(t)
	}
	before := ask(0, warm) // what the first names cost is the price of a heap that is warm
	after := ask(warm, warm+names)
	t.Logf("resident after %d names: %d KiB, after %d: %d KiB", warm, before>>10, warm+names, after>>10)
	if after-before > atMost {
		t.Errorf("%d names more take %d KiB, want at most %d", names, (after-before)>>10, atMost>>10)
	}
}
