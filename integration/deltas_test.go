package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// deltaMost is how many bytes rsync may have to send after one small change:
// the segments on both sides of it, the manifest's and the first header's.
const deltaMost = 3 << 20

// goSite has a statelite image "lite" whose root tree is Go's own src/, a tree
// of real files that is its caller's to change.
func goSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	must(t, site.AddStatelite("lite", xcatsite.Noise("kernel", 3<<20), xcatsite.Noise("ramdisk", 2<<20)))
	goroot := strings.TrimSpace(run(t, "go", "env", "GOROOT"))
	run(t, "cp", "-a", goroot+"/src/.", site.Path(site.TreeDir("lite")))
	return site
}

// rsyncStats is what rsync --stats counts.
type rsyncStats struct {
	files   int64 // whose data was sent, in whole or in part
	literal int64 // bytes that the old copy did not have
}

// delta runs rsync with its algorithm for slow lines, which local copies do
// not use by themselves.
func delta(t *testing.T, from, to string) rsyncStats {
	t.Helper()
	said := process{args: []string{"rsync", "-a", "--no-whole-file", "--stats", from, to}, limit: 3 * patience}.run(t).stdout
	number := func(name string) int64 {
		t.Helper()
		field := regexp.MustCompile(name + `: ([0-9,]+)`).FindStringSubmatch(said)
		if field == nil {
			t.Fatalf("rsync --stats does not say %q: %s", name, said)
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(field[1], ",", ""), 10, 64)
		must(t, err)
		return n
	}
	return rsyncStats{number("Number of regular files transferred"), number("Literal data")}
}

// After one small change anywhere, rsync sends little of a large bundle; and
// after none it sends nothing, whatever the server has forgotten.
func TestSmallChangesMakeSmallDeltas(t *testing.T) {
	t.Parallel()
	needTools(t, "rsync")
	site := goSite(t)
	backup, cache := filepath.Join(t.TempDir(), "lite.tgz"), t.TempDir()
	m := mountSite(t, site.Dir(), "--refresh", "100ms", "--cache-dir", cache)
	if all := delta(t, m.path("lite.tgz"), backup); all.literal < 6*deltaMost {
		t.Fatalf("a bundle of %d bytes shows nothing", all.literal)
	}
	expectNothingToSend(t, "the same mount", m, backup)
	m.stop(t)
	m = mountSite(t, site.Dir(), "--refresh", "100ms", "--cache-dir", cache)
	expectNothingToSend(t, "another mount", m, backup)
	m.stop(t)
	must(t, os.RemoveAll(cache))
	m = mountSite(t, site.Dir(), "--refresh", "100ms", "--cache-dir", cache)
	expectNothingToSend(t, "another mount without its cache", m, backup)

	tree := site.TreeDir("lite")
	for _, change := range []struct {
		name string
		make func() error
	}{
		{"a longer file in the tree", func() error {
			return site.WriteFile(tree+"/net/http/server.go", 0o644, xcatsite.Text("longer", 130_000))
		}},
		{"a new file in the tree", func() error {
			return site.WriteFile(tree+"/encoding/new.go", 0o644, xcatsite.Text("new", 20_000))
		}},
		{"no file in the tree any more", func() error { return os.Remove(site.Path(tree + "/encoding/new.go")) }},
		{"a listed file", func() error {
			return site.WriteFile("/install/custom/netboot/rh/lite.pkglist", 0o644, []byte("bash\nvim\n"))
		}},
		{"a row", func() error {
			return site.Exec("osimage", `UPDATE osimage SET description = 'something else' WHERE imagename = 'lite'`)
		}},
	} {
		before := statOne(t, m.path("lite.tgz")).inode
		must(t, change.make())
		eventually(t, change.name+" shows", func() bool { return statOne(t, m.path("lite.tgz")).inode != before })
		sent := delta(t, m.path("lite.tgz"), backup)
		t.Logf("%s: %d bytes sent", change.name, sent.literal)
		if sent.files != 1 || sent.literal == 0 || sent.literal > deltaMost {
			t.Errorf("%s: rsync sends %d bytes of %d files, want 1 to %d bytes of one", change.name, sent.literal, sent.files, deltaMost)
		}
		run(t, "cmp", m.path("lite.tgz"), backup)
	}
}

// expectNothingToSend holds rsync's quick check to finding the backup whole.
func expectNothingToSend(t *testing.T, what string, m *mount, backup string) {
	t.Helper()
	if sent := delta(t, m.path("lite.tgz"), backup); sent.files != 0 || sent.literal != 0 {
		t.Errorf("%s: rsync sends %d bytes of %d files although nothing has changed", what, sent.literal, sent.files)
	}
}

// A row that changes and keeps its length shows in the size or in whole
// seconds of the time, which is all that rsync's quick check looks at, but for
// a chance of 1 in 1024. The values are the same in every run, and so are the
// sizes: they are a function of rows and files.
func TestQuickCheckSeesRowsOfEqualLength(t *testing.T) {
	t.Parallel()
	const changes, mayMiss = 200, 2
	random := rand.New(rand.NewPCG(1, 0))
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir(), "--refresh", "0s")
	last := statOne(t, m.path("foo.tgz"))
	var missed []string
	for range changes {
		value := fmt.Sprintf("%04x", random.Uint32()>>16)
		must(t, site.Exec("osimage", `UPDATE osimage SET description = ? WHERE imagename = 'foo'`, value))
		now := statOne(t, m.path("foo.tgz"))
		if now.size == last.size && now.mtime == last.mtime {
			missed = append(missed, value)
		}
		last = now
	}
	t.Logf("%d of %d changes missed: %q", len(missed), changes, missed)
	if len(missed) > mayMiss {
		t.Errorf("%d of %d changes show neither in size nor time, want at most %d", len(missed), changes, mayMiss)
	}
}
