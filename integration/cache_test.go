package integration

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// sizesOf maps the bundles of a mount to what stat says of their size and
// time.
func sizesOf(t *testing.T, m *mount) map[string]attributes {
	t.Helper()
	sizes := map[string]attributes{}
	for name, a := range statAll(t, m.dir) {
		sizes[name] = attributes{size: a.size, mtimeExact: a.mtimeExact}
	}
	return sizes
}

// What one server remembers of sizes, the next one finds, and the bundles are
// the same as without.
func TestRememberedSizesAreRight(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	plain := mountSite(t, site.Dir())
	sizes, sums := sizesOf(t, plain), checksums(t, plain.dir)
	cache := filepath.Join(t.TempDir(), "made", "when needed")
	for range 2 {
		m := mountSite(t, site.Dir(), "--cache-dir", cache)
		expectSame(t, sizesOf(t, m), sizes)
		expectText(t, "checksums", checksums(t, m.dir), sums)
		m.stop(t)
	}
	if files := listing(t, cache); len(files) == 0 {
		t.Error("nothing is remembered")
	}
}

func expectSame(t *testing.T, got, want map[string]attributes) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %+v, want %+v", name, got[name], want[name])
		}
	}
}

// The cache is only ever a help: damaged files in it are not believed, and a
// directory that cannot be used is no reason to fail.
func TestDamagedCacheIsNotBelieved(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	plain := mountSite(t, site.Dir())
	sizes, sums := sizesOf(t, plain), checksums(t, plain.dir)
	cache := t.TempDir()
	filled := mountSite(t, site.Dir(), "--cache-dir", cache)
	checksums(t, filled.dir)
	filled.stop(t)
	for name, damage := range map[string]string{
		"cut":      `for f in *.index; do truncate -s -5 "$f"; done`,
		"emptied":  `for f in *.index; do truncate -s 0 "$f"; done`,
		"one bit":  `for f in *.index; do printf '\x81' | dd of="$f" bs=1 seek=70 conv=notrunc status=none; done`,
		"swapped":  `set -- *; mv "$1" x; mv "$2" "$1"; mv x "$2"`,
		"replaced": `for f in *.index; do rm "$f"; mkdir "$f"; done`,
	} {
		t.Run(name, func(t *testing.T) {
			damaged := filepath.Join(t.TempDir(), "cache")
			run(t, "cp", "-a", cache, damaged)
			shell(t, damaged, damage)
			m := mountSite(t, site.Dir(), "--cache-dir", damaged)
			expectSame(t, sizesOf(t, m), sizes)
			expectText(t, "checksums", checksums(t, m.dir), sums)
		})
	}
	t.Run("a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(file, nil, 0o644))
		m := mountSite(t, site.Dir(), "--cache-dir", file)
		expectSame(t, sizesOf(t, m), sizes)
	})
}

// Two servers may use one cache at the same time.
func TestServersShareACache(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	cache := t.TempDir()
	one := mountSite(t, site.Dir(), "--cache-dir", cache)
	two := mountSite(t, site.Dir(), "--cache-dir", cache)
	shell(t, "", `
		(cd "$1" && sha256sum *.tgz) > "$3/../one" & job=$!
		(cd "$2" && sha256sum *.tgz) > "$3/../two"
		wait $job
		cmp "$3/../one" "$3/../two"
		rm "$3/../one" "$3/../two"`, one.dir, two.dir, cache)
}

// A source that changes is measured anew, whatever is remembered of it.
func TestRememberedSizeOfAChangedFileIsForgotten(t *testing.T) {
	site := smallSite(t, 2<<20)
	cache := t.TempDir()
	m := mountSite(t, site.Dir(), "--cache-dir", cache)
	before := checksums(t, m.dir)
	m.stop(t)
	must(t, os.Chtimes(site.Path("/install/netboot/rhels9.2/x86_64/bar/kernel"), time.Now(), time.Now()))
	again := mountSite(t, site.Dir(), "--cache-dir", cache)
	size := statOne(t, again.path("bar.tgz")).size
	work := t.TempDir()
	run(t, "cp", again.path("bar.tgz"), work)
	if got := statOne(t, filepath.Join(work, "bar.tgz")).size; got != size {
		t.Errorf("stat says %d bytes, cp got %d", size, got)
	}
	if checksums(t, again.dir) == before {
		t.Error("the new time is not in the bundle")
	}
	mustReadTarball(t, filepath.Join(work, "bar.tgz"))
}
