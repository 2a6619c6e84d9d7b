package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// checksums is sha256sum over every bundle in a directory.
func checksums(t *testing.T, dir string) string {
	t.Helper()
	return shell(t, dir, `find . -maxdepth 1 -name '*.tgz' -print0 | sort -z | xargs -0 sha256sum --`)
}

// The same rows and files give the same bytes: read twice, by another server,
// on one processor, with little memory, from another directory, and by export.
func TestBundleBytesAreAlwaysTheSame(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	first := mountSite(t, site.Dir())
	want := checksums(t, first.dir)
	if n := strings.Count(want, "\n"); n != len(bulkImages) {
		t.Fatalf("%d bundles on the mount, want %d", n, len(bulkImages))
	}
	expectText(t, "second reading", checksums(t, first.dir), want)
	first.stop(t)

	t.Run("another server", func(t *testing.T) {
		expectText(t, "checksums", checksums(t, mountSite(t, site.Dir()).dir), want)
	})
	t.Run("one processor", func(t *testing.T) {
		expectText(t, "checksums", checksums(t, mountSiteEnv(t, site.Dir(), []string{"GOMAXPROCS=1"}).dir), want)
	})
	t.Run("little memory", func(t *testing.T) {
		expectText(t, "checksums", checksums(t, mountSite(t, site.Dir(), "--memory", "32MiB").dir), want)
	})
	t.Run("read from the end first", func(t *testing.T) {
		m := mountSite(t, site.Dir())
		for _, image := range bulkImages {
			run(t, "tail", "-c", "3000000", m.path(image+".tgz"))
		}
		expectText(t, "checksums", checksums(t, m.dir), want)
	})
	t.Run("export", func(t *testing.T) {
		work := t.TempDir()
		for _, image := range bulkImages {
			expectCode(t, program(t, work, "export", image, "--root", site.Dir()), 0)
		}
		expectText(t, "checksums", checksums(t, work), want)
	})
}

// Nothing of where a site is gets into its bundles: a copy elsewhere has the
// same sizes, times and bytes.
func TestBundlesDoNotDependOnTheRoot(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	other := filepath.Join(t.TempDir(), "a", "much", "longer", "name")
	must(t, os.MkdirAll(other, 0o755))
	run(t, "cp", "-a", site.Dir()+"/.", other)
	one, two := mountSite(t, site.Dir()), mountSite(t, other)
	a, b := statAll(t, one.dir), statAll(t, two.dir)
	if len(a) != len(b) || len(a) == 0 {
		t.Fatalf("%d and %d files", len(a), len(b))
	}
	for name := range a {
		if a[name].size != b[name].size || a[name].mtimeExact != b[name].mtimeExact {
			t.Errorf("%s: size %d, time %s; below another root %d, %s", name,
				a[name].size, a[name].mtimeExact, b[name].size, b[name].mtimeExact)
		}
	}
	expectText(t, "checksums", checksums(t, two.dir), checksums(t, one.dir))
}

// A read at any place, of any length, in any order, gives what a copy from
// start to end holds there.
func TestRandomReadsGiveTheBytesOfACopy(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	seed := randomSeed(t)
	for _, image := range bulkImages {
		t.Run(image, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "copy")
			whole := mountSite(t, site.Dir())
			run(t, "cp", whole.path(image+".tgz"), copied)
			whole.stop(t)
			fresh := mountSite(t, site.Dir()) // nothing of it is in the page cache
			helperProcess(t, "compare", fresh.path(image+".tgz"), copied, strconv.FormatUint(seed, 10), "250").run(t)
		})
	}
}

// Readers at several places of one bundle at once do not disturb each other.
func TestParallelReadersGetTheSameBytes(t *testing.T) {
	site := bulkSite(t)
	seed := randomSeed(t)
	for _, flags := range [][]string{nil, {"--memory", "32MiB"}} {
		t.Run(fmt.Sprint(flags), func(t *testing.T) {
			m := mountSite(t, site.Dir(), flags...)
			copies := t.TempDir()
			// Everybody starts at once on a server that knows nothing yet.
			shell(t, m.dir, `
				for image in stateless statelite kits; do
					for i in 1 2 3; do cp $image.tgz "$1/$image.$i" & jobs="${jobs-} $!"; done
					tail -c 1000000 $image.tgz > "$1/$image.tail" & jobs="$jobs $!"
				done
				for job in $jobs; do wait $job; done
				for image in stateless statelite kits; do
					cmp "$1/$image.1" "$1/$image.2"
					cmp "$1/$image.1" "$1/$image.3"
					tail -c 1000000 "$1/$image.1" | cmp - "$1/$image.tail"
				done`, copies)
			for i, image := range bulkImages {
				t.Run(image, func(t *testing.T) {
					t.Parallel()
					helperProcess(t, "compare", m.path(image+".tgz"), filepath.Join(copies, image+".1"),
						strconv.FormatUint(seed+uint64(i), 10), "200").run(t)
				})
			}
		})
	}
}

// randomSeed is a new seed for every run, or that of the run to repeat.
func randomSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("IMGEXPORTFS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("IMGEXPORTFS_SEED: %v", err)
		}
	}
	t.Logf("IMGEXPORTFS_SEED=%d", seed)
	return seed
}
