package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// What jumps of the clock can do: files are dated in the past or in the future of what
// this host's clock says, and the clock itself goes back or forth while a mount is up.

// jumps are by how much clocks jump.
var jumps = []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour, -365 * 24 * time.Hour}

// Files of a site, its tables and its directories may have any time: a change shows, and
// the bundle has the right bytes.
func TestChangesShowWhateverTheTimesOfFiles(t *testing.T) {
	site := smallSite(t, 3<<20)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	cache := privateDir(t)
	m := mountSite(t, site.Dir(), "--refresh", "20ms", "--cache-dir", cache)
	kernel, inTree := xcatsite.ProfileDir("bar")+"/kernel", site.TreeDir("lite")+"/etc/new"
	for i, jump := range jumps {
		t.Run(jump.String(), func(t *testing.T) {
			at := time.Now().Add(jump)
			bar, lite, foo := statOne(t, m.path("bar.tgz")), statOne(t, m.path("lite.tgz")), statOne(t, m.path("foo.tgz"))
			must(t, site.WriteFile(kernel, 0o644, xcatsite.Text(fmt.Sprint("kernel", i), 100_000))) // of the same size
			must(t, site.Touch(kernel, at))
			must(t, site.WriteFile(inTree, 0o644, fmt.Append(nil, "version ", i)))
			must(t, site.Touch(inTree, at))
			must(t, site.Touch(filepath.Dir(inTree), at))
			must(t, site.Exec("osimage", fmt.Sprintf(`UPDATE osimage SET osvers = osvers, comments = 'row %d' WHERE imagename = 'foo'`, i)))
			shell(t, site.Path("/etc/xcat"), `touch -d "$1" *.sqlite`, at.Format(time.RFC3339Nano))
			for name, before := range map[string]attributes{"bar.tgz": bar, "lite.tgz": lite, "foo.tgz": foo} {
				eventually(t, name+" has changed", func() bool { return statOne(t, m.path(name)).inode != before.inode })
			}
			work := t.TempDir()
			run(t, programFile, "export", "--root", site.Dir(), "--all", work+"/")
			eventually(t, "the bundles are those of an export", func() bool { return checksums(t, m.dir) == checksums(t, work) })
			shell(t, work, `sha256sum foo.tgz > sum; sed 's/ .*//' sum | cmp - <(sed 's/ .*//' "$1")`, m.path("foo.tgz.sha256"))
		})
	}
}

// Files of the cache, of segments and of sizes, may have any time: they are used, and none
// stays dated in the future.
func TestACacheIsUsedWhateverTheTimesOfItsFiles(t *testing.T) {
	t.Parallel()
	site, cache := deflatingSiteOf(t, 16<<20), privateDir(t)
	want := rightChecksums(t, site)
	for i := range len(jumps) + 1 {
		m := mountSite(t, site.Dir(), "--cache-dir", cache, "--memory", "4MiB")
		expectText(t, "checksums", checksums(t, m.dir), want)
		if written := metricsOf(t, m).value(t, "imgexportfs_cache_writes_total", ""); i > 0 && written > 0 {
			t.Errorf("files dated by %v: %v segments are made again", jumps[i-1], written)
		}
		m.stop(t)
		for _, file := range strings.Fields(run(t, "find", cache, "-type", "f")) {
			info, err := os.Stat(file)
			must(t, err)
			if info.ModTime().After(time.Now().Add(time.Minute)) {
				t.Errorf("%s is dated %v", file, info.ModTime())
			}
			if i < len(jumps) {
				at := time.Now().Add(jumps[i])
				must(t, os.Chtimes(file, at, at))
			}
		}
	}
}

// jumpingClock is put into time.Now: what it says jumps each second, by an hour and by a
// year, forth and back. What it says of how much time has passed stays right, as with a
// clock that is set.
const jumpingClock = `
	sec += [...]int64{0, 3600, 0, -3600, 0, 31536000, -3600, -31536000}[uint64(mono)>>30&7]`

// jumpingProgram is the program with a clock that jumps.
func jumpingProgram(t *testing.T) string {
	t.Helper()
	work := t.TempDir()
	file := filepath.Join(strings.TrimSpace(run(t, "go", "env", "GOROOT")), "src/time/time.go")
	source, err := os.ReadFile(file)
	must(t, err)
	const begin = "\tsec, nsec, mono := runtimeNow()"
	if n := strings.Count(string(source), "func Now() Time {\n"+begin); n != 1 {
		t.Fatalf("%s has %d functions Now of the kind that this test knows", file, n)
	}
	changed, overlay := work+"/time.go", work+"/overlay.json"
	must(t, os.WriteFile(changed, []byte(strings.Replace(string(source), begin, begin+jumpingClock, 1)), 0o600))
	must(t, os.WriteFile(overlay, fmt.Appendf(nil, `{"Replace": {%q: %q}}`, file, changed), 0o600))
	process{
		args: []string{"go", "build", "-overlay", overlay, "-o", work + "/imgexportfs", "imgexportfs/cmd/imgexportfs"},
		env:  []string{"CGO_ENABLED=0"}, limit: 20 * time.Minute,
	}.run(t)
	return work + "/imgexportfs"
}

// expectJumps makes sure that the clock of the program jumps: a file of its own shows it.
func expectJumps(t *testing.T) {
	t.Helper()
	m := mountSite(t, smallSite(t, 1000).Dir(), "--refresh", "20ms")
	eventually(t, "the clock of the program jumps", func() bool {
		info, err := os.Stat(m.path(".imgexportfs", "status.json"))
		must(t, err)
		return time.Since(info.ModTime()).Abs() > 30*time.Minute
	})
	m.stop(t)
}

// A program whose clock jumps all the time does what it does with a good one: changes
// show, bytes are right, and what hangs is given up in time. Its build takes long, so only
// SOAK asks for it.
func TestAProgramWhoseClockJumpsDoesTheSame(t *testing.T) {
	if !soaking() {
		t.Skip("needs SOAK, for all of the program is built")
	}
	good := programFile
	programFile = jumpingProgram(t)
	t.Cleanup(func() { programFile = good })
	expectJumps(t)
	for name, test := range map[string]func(*testing.T){
		"random world":    TestRandomWorldIsReadAsItWas,
		"hanging sources": TestReadersOfASourceThatHangsEnd,
		"cache":           TestTwoServersFillAndTrimOneCache,
		"killed servers":  TestAServerThatIsKilledLeavesARightCache,
		"times of files":  TestChangesShowWhateverTheTimesOfFiles,
		"rows":            TestChangedRowsShowToAReaderWhoLooksAllTheTime,
	} {
		t.Run(name, test)
	}
}
