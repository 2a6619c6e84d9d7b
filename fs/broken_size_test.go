package fs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

// lieInIndex makes the length of one segment in the only index file wrong.
func lieInIndex(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.index"))
	if err != nil || len(files) != 1 {
		t.Fatalf("index files %q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	body := text[:len(text)-sha256.Size]
	first := bytes.IndexByte(body, '\n') + 1 + 4 // behind the magic and the number
	body[first+32]++
	sum := sha256.Sum256(body)
	if err := os.WriteFile(files[0], append(body, sum[:]...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A bundle that has shown a wrong size does not keep its inode number when it is right: the
// kernel may have pages of it.
func TestABundleWhoseSizeWasWrongHasAnotherInode(t *testing.T) {
	dir, cache := siteDir(t, 0, "foo"), t.TempDir()
	var text bytes.Buffer
	for i := 0; text.Len() < 8<<20; i++ {
		fmt.Fprintf(&text, "line %d of a template\n", i)
	}
	write(t, dir, "foo.tmpl", text.String())
	of := view{"", "foo"}
	withCache := func() *versions {
		vs := open(t, dir, 0, time.Hour)
		engine, err := bundle.NewEngine(bundle.EngineOptions{CacheDir: cache})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(engine.Close)
		vs.engine = engine
		return vs
	}
	first := withCache()
	right, err := first.size(t.Context(), first.mustPresent(t, of))
	if err != nil {
		t.Fatal(err)
	}
	first.engine.Close()
	lieInIndex(t, cache)

	vs := withCache()
	v := vs.mustPresent(t, of)
	if wrong, err := vs.size(t.Context(), v); err != nil || wrong == right {
		t.Fatalf("size %d, %v: the file is not used", wrong, err)
	}
	p, err := vs.planOf(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	reader := p.bundle.NewReader()
	if _, err := reader.Read(context.Background(), make([]byte, right), 0); !errors.Is(err, source.ErrChanged) {
		t.Fatalf("reading gives %v", err)
	}
	reader.Close()
	p.release()
	vs.distrust(v, source.ErrChanged)
	again := vs.mustPresent(t, of)
	if again.key(roleBundle, "") == v.key(roleBundle, "") {
		t.Error("the same inode")
	}
	if size, err := vs.size(t.Context(), again); err != nil || size != right {
		t.Errorf("size %d, %v, want %d", size, err, right)
	}
}

// A small bundle may be in the kernel as a whole, so that an open has to look.
func TestAPlanWhoseFilesHaveChangedIsNotOpened(t *testing.T) {
	dir := siteDir(t, 0, "foo")
	vs := open(t, dir, 0, time.Hour)
	_, p, err := vs.renew(t.Context(), vs.mustLook(t), view{"", "foo"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.release()
	if err := p.check(vs.site.Root()); err != nil {
		t.Errorf("as it was: %v", err)
	}
	time.Sleep(20 * time.Millisecond) // another tick of the file system's clock
	write(t, dir, "foo.tmpl", "%packages_")
	if err := p.check(vs.site.Root()); !errors.Is(err, source.ErrChanged) {
		t.Errorf("rewritten with the same size: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "foo.tmpl")); err != nil {
		t.Fatal(err)
	}
	if err := p.check(vs.site.Root()); !errors.Is(err, source.ErrChanged) {
		t.Errorf("removed: %v", err)
	}
}
