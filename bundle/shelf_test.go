package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"imgexportfs/bundle/source"
)

// compressible is a site with one large file that deflates.
func compressible(t *testing.T) (*source.Root, Member) {
	t.Helper()
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/image", prose(seeded(t), 6*segmentMax))
	return root, fileMember(t, root, "/image")
}

// made counts the segments that a size takes to make.
func made(t *testing.T, b *Bundle) int {
	t.Helper()
	_, n, err := b.findLengths(&measuring{at: sizing})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func volumes(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(dir + "/*" + volumeSuffix)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSizesSurviveTheProcess(t *testing.T) {
	_, m := compressible(t)
	dir := t.TempDir() + "/cache"
	first := newBundle(t, newEngine(t, EngineOptions{CacheDir: dir}), "foo", m)
	size, err := first.Size(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	sum, err := first.SHA256(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	second := newBundle(t, newEngine(t, EngineOptions{CacheDir: dir, Workers: 1}), "foo", m)
	if n := made(t, second); n != 0 {
		t.Errorf("%d segments are made again", n)
	}
	if got, err := second.Size(context.Background()); err != nil || got != size {
		t.Errorf("size %d, %v; it was %d", got, err, size)
	}
	second.recall()
	if got, ok := second.engine.index.sum(second.whole); !ok || got != sum {
		t.Errorf("hash %x, %v; it was %x", got, ok, sum)
	}
	if files := volumes(t, dir); len(files) != 1 {
		t.Errorf("files %q", files)
	}
}

func TestADamagedVolumeIsAsGoodAsNone(t *testing.T) {
	_, m := compressible(t)
	dir := t.TempDir()
	b := newBundle(t, newEngine(t, EngineOptions{CacheDir: dir}), "foo", m)
	if _, err := b.Size(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := volumes(t, dir)[0]
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(good)/2] ^= 1
	for name, bad := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-1], "flipped": flipped, "longer": append(bytes.Clone(good), 0), "text": []byte("imgexportfs index 1\n"),
	} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		again := newBundle(t, newEngine(t, EngineOptions{CacheDir: dir}), "foo", m)
		if n := made(t, again); n == 0 {
			t.Errorf("%s: lengths are taken from it", name)
		}
	}
}

func TestAWrongLengthIsAnErrorAndThenANewPass(t *testing.T) {
	_, m := compressible(t)
	dir := t.TempDir()
	e := newEngine(t, EngineOptions{CacheDir: dir})
	b := newBundle(t, e, "foo", m)
	size, err := b.Size(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	// A volume that is whole, but lies.
	v := e.index.shelf.read(b.volume)
	v.lengths[b.keys[2]]++
	e.index.shelf.write(b.volume, v)

	e = newEngine(t, EngineOptions{CacheDir: dir})
	b = newBundle(t, e, "foo", m)
	if got, err := b.Size(context.Background()); err != nil || got != size+1 {
		t.Fatalf("size %d, %v: the volume is not used", got, err)
	}
	if err := b.WriteTo(context.Background(), io.Discard, nil); !errors.Is(err, source.ErrChanged) {
		t.Errorf("reading gives %v", err)
	}
	if _, err := b.Size(context.Background()); !errors.Is(err, source.ErrChanged) || !b.Broken() {
		t.Errorf("the size is still believed: %v", err)
	}
	b = newBundle(t, e, "foo", m)
	if got, err := b.Size(context.Background()); err != nil || got != size {
		t.Errorf("the next bundle has size %d, %v, want %d", got, err, size)
	}
}

func TestWithoutAPlaceToWriteThereIsOneWarning(t *testing.T) {
	_, m := compressible(t)
	file := t.TempDir() + "/file"
	writeFile(t, file, nil)
	warnings := 0
	e := newEngine(t, EngineOptions{CacheDir: file + "/cache", Warn: func(error) { warnings++ }})
	for i := range 3 {
		if _, err := newBundle(t, e, fmt.Sprint("foo", i), m).Size(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if warnings != 1 {
		t.Errorf("%d warnings", warnings)
	}
}

func TestAShelfDoesNotGrowForEver(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	put := func(name string, age time.Duration, size int64) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, nil)
		if err := errors.Join(os.Truncate(path, size), os.Chtimes(path, now, now.Add(-age))); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keep := []string{
		put("new.index", time.Hour, 10),
		put("used.index", shelfAge-time.Hour, 10),
		put("large.index", 2*time.Hour, shelfSize-100),
		put("other.txt", 9*shelfAge, 10),
		put(".new-fresh", time.Minute, 10),
	}
	gone := []string{
		put("old.index", shelfAge+time.Hour, 10),
		put("beyond.index", shelfAge-2*time.Hour, 1000),
		put(".new-crashed", 2*time.Hour, 10),
	}
	openShelf(dir, func(err error) { t.Error(err) })
	for _, path := range keep {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s is gone", path)
		}
	}
	for _, path := range gone {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}
