package integration

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// With few descriptors many readers of many images get the right bytes or an error;
// no name vanishes, and afterwards all is right.
func TestFewDescriptorsCostErrorsAtMost(t *testing.T) {
	const images, limit = 16, 64
	site := crowdedSite(t, images, 1<<20)
	const sums = `cd "$1"; sha256sum *.tgz`
	want := shell(t, "", sums, mountSite(t, site.Dir()).dir)
	m := mountSite(t, site.Dir(), "--refresh", "20ms")
	few := unix.Rlimit{Cur: limit, Max: limit}
	must(t, unix.Prlimit(m.cmd.Process.Pid, unix.RLIMIT_NOFILE, &few, nil))
	work := t.TempDir()
	const script = `cd "$1"; for i in 1 2 3; do for b in *.tgz; do (cat "$b" > "$2/$i-$b" || rm "$2/$i-$b") & done; done; wait; ls "$2"`
	r := process{args: []string{"bash", "-c", script, "bash", m.dir, work}}.run(t)
	copies := strings.Fields(r.stdout)
	for _, name := range copies {
		sum := strings.Fields(run(t, "sha256sum", filepath.Join(work, name)))[0]
		if _, bundle, _ := strings.Cut(name, "-"); !strings.Contains(want, sum+"  "+bundle+"\n") {
			t.Errorf("the copy %s is wrong, without an error", name)
		}
	}
	t.Logf("%d of %d copies ended well with %d descriptors", len(copies), 3*images, limit)
	if names := run(t, "ls", m.dir); strings.Count(names, ".tgz\n") != images {
		t.Errorf("the listing has %d bundles, want %d", strings.Count(names, ".tgz\n"), images)
	}
	expectText(t, "sums afterwards", shell(t, "", sums, m.dir), want)
}

// A program that has few descriptors from its begin on works as well.
func TestExportNeedsFewDescriptors(t *testing.T) {
	site := mixedSite(t)
	shell(t, t.TempDir(), `ulimit -n 64; "$1" export --root "$2" mixed; gzip -t mixed.tgz`, programFile, site.Dir())
}

// What is known of the old versions of a large tree goes with them.
func TestVersionsOfALargeTreeStayInsideTheBudget(t *testing.T) {
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	dirs, versions := 20, 20
	if soaking() {
		dirs, versions = 2000, 200
	}
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	root := site.TreeDir("lite")
	for i := range dirs {
		makeCrowd(t, site.Path(fmt.Sprintf("%s/dir-%04d", root, i)), i, 100)
	}
	const budget = 64 << 20
	m := mountSiteEnv(t, site.Dir(), []string{fmt.Sprint("GOMAXPROCS=", runtime.NumCPU())}, "--memory", "64MiB", "--refresh", "5ms")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log: %s", m.log)
		}
	})
	early, slowest := int64(0), time.Duration(0)
	last := statOne(t, m.path("lite.tgz")).inode
	for i := range versions {
		began := time.Now()
		must(t, site.WriteFile(root+"/changes", 0o644, fmt.Append(nil, "version ", i)))
		eventually(t, fmt.Sprintf("version %d shows", i), func() bool {
			now := statOne(t, m.path("lite.tgz"))
			defer func() { last = now.inode }()
			return now.inode != last
		})
		slowest = max(slowest, time.Since(began))
		if i == versions/4 {
			early = m.memory(t)
		}
	}
	late := m.memory(t)
	t.Logf("%d entries: %d MiB resident after a quarter of %d versions, %d MiB at the end, %d MiB at most; each shows within %v",
		dirs*100, early>>20, versions, late>>20, m.peakMemory(t)>>20, slowest)
	expectNot(t, m.wholeLog(), "do not answer")
	if late > early+budget || m.peakMemory(t) > budget+int64(dirs)*100*2000+(96<<20) {
		t.Errorf("the server has %d bytes resident, %d after a quarter of the versions", late, early)
	}
}
