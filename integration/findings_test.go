package integration

import (
	"os"
	"slices"
	"testing"
	"time"
)

// What a walk through a tree has found holds in listings until another walk has
// found something else, also when the refresh interval is over: otherwise
// `cp *.tgz` fails on a bundle that is listed and not there.
func TestListingsKeepTheFindingsOfATree(t *testing.T) {
	t.Parallel()
	const refresh = 300 * time.Millisecond
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	core := site.Path(site.TreeDir("lite") + "/core")
	must(t, makeSparse(core, 4<<30))
	m := mountSite(t, site.Dir(), "--refresh", refresh.String())
	refused := []string{"lite", "lite.errors"}
	expectLines(t, "files", typesOf(t, m.dir, "lite", "lite.tgz", "lite.errors"), []string{"lite directory", "lite.errors regular file"})
	for end := time.Now().Add(5 * refresh); time.Now().Before(end); time.Sleep(refresh / 4) {
		if names := listing(t, m.dir); !slices.Equal(names, refused) {
			t.Fatalf("after the stat has found a file of 4 GiB, ls shows %q, want %q", names, refused)
		}
	}
	r := process{args: []string{"bash", "-c", `shopt -s nullglob; cp "$1"/*.tgz "$1"/*.errors "$2"`, "bash", m.dir, t.TempDir()}, mayFail: true}.run(t)
	if r.code != 0 {
		t.Errorf("cp of all bundles: %s", r.stderr)
	}

	must(t, os.Remove(core))
	eventually(t, "a walk finds that the file has gone", func() bool {
		return len(typesOf(t, m.dir, "lite.tgz")) == 1
	})
	offered := []string{"lite", "lite.tgz", "lite.tgz.sha256"}
	for end := time.Now().Add(5 * refresh); time.Now().Before(end); time.Sleep(refresh / 4) {
		if names := listing(t, m.dir); !slices.Equal(names, offered) {
			t.Fatalf("after the file has gone, ls shows %q, want %q", names, offered)
		}
	}
}
