package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"imgexportfs/bundle/source"
)

// compressible is a site with one large file that deflates.
func compressible(t *testing.T) (*source.Root, Member) {
	t.Helper()
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/image", prose(seeded(t), 6*segmentMax))
	return root, fileMember(t, root, "/image")
}

func indexFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.index")
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
	first.engine.Close()
	second := newBundle(t, newEngine(t, EngineOptions{CacheDir: dir, Workers: 1}), "foo", m)
	if n := unknown(second); n != 0 {
		t.Errorf("%d segments are made again", n)
	}
	if got, err := second.Size(context.Background()); err != nil || got != size {
		t.Errorf("size %d, %v; it was %d", got, err, size)
	}
	second.loadIndex()
	if got, ok := second.engine.index.Sum(second.whole); !ok || got != sum {
		t.Errorf("hash %x, %v; it was %x", got, ok, sum)
	}
	if files := indexFiles(t, dir); len(files) != 1 {
		t.Errorf("files %q", files)
	}
}

func TestADamagedIndexFileIsIgnored(t *testing.T) {
	_, m := compressible(t)
	dir := t.TempDir()
	b := newBundle(t, newEngine(t, EngineOptions{CacheDir: dir}), "foo", m)
	if _, err := b.Size(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.engine.Close()
	path := indexFiles(t, dir)[0]
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
		if n := unknown(again); n == 0 {
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
	// An index file that is whole, but lies.
	n, _ := e.index.Length(b.segs[2].key)
	e.index.PutLength(b.segs[2].key, n+1)
	b.save()
	e.Close()

	e = newEngine(t, EngineOptions{CacheDir: dir})
	b = newBundle(t, e, "foo", m)
	if got, err := b.Size(context.Background()); err != nil || got != size+1 {
		t.Fatalf("size %d, %v: the file is not used", got, err)
	}
	reader := b.NewReader()
	defer reader.Close()
	if _, err := readAt(reader, make([]byte, size+1), 0); !errors.Is(err, source.ErrChanged) {
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
