package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

const (
	worldRefresh = 50 * time.Millisecond
	// worldReadersMax is how many readers there are at a time.
	worldReadersMax = 3
)

// world is a site that changes together with its model while it is read.
type world struct {
	site    *xcatsite.Site
	mount   *mount
	scratch string
	state   worldState
	history worldHistory

	over           atomic.Bool
	copied, failed atomic.Int64 // copies
}

func (w *world) alive() bool { return !w.over.Load() }

// newWorld makes a site and the model of it.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{site: newSite(t), scratch: t.TempDir(), history: worldHistory{parts: map[string][]worldValue{}}}
	w.state = worldState{map[string]string{"plain": "00000000", "packed": "00000000", "tree": "00000000"}, map[string]worldFile{}}
	must(t, w.site.AddStateful("plain", nil, nil))
	must(t, w.site.AddStateless("packed", xcatsite.Stateless{Kernel: []byte("k"), Ramdisk: []byte("r"), Rootimg: []byte("i")}))
	must(t, w.site.AddStatelite("tree", []byte("k"), []byte("r")))
	must(t, w.site.Exec("osimage", "UPDATE osimage SET description = '00000000'"))
	must(t, w.site.AddStateful("extra", nil, nil))
	must(t, w.site.Exec("osimage", "DELETE FROM osimage WHERE imagename = 'extra'"))
	must(t, w.site.Exec("linuximage", "UPDATE linuximage SET template = NULL, pkglist = NULL WHERE imagename = 'extra'"))
	must(t, w.site.WriteFile("/extra.tmpl", 0o644, []byte("extra")))
	must(t, w.site.Exec("linuximage", "UPDATE linuximage SET template = '/extra.tmpl' WHERE imagename = 'extra'"))
	must(t, w.site.Insert("nodelist", xcatsite.Row{"node": "n1", "groups": "all"}))
	must(t, w.site.Insert("postscripts", xcatsite.Row{"node": "n1", "postscripts": "otherpkgs"}))
	w.state.files[worldTree] = worldFile{'d', 0o755, ""}
	for _, dir := range []string{"a", "b", "z"} {
		path := worldTree + "/" + dir
		w.state.files[path] = worldFile{'d', 0o755, ""}
		must(t, os.MkdirAll(w.site.Path(path), 0o755))
	}
	for _, members := range worldMembers {
		for _, path := range members {
			w.do(t, worldStep{op: "put", path: path, text: path, n: 1})
		}
	}
	w.mount = mountSite(t, w.site.Dir(), "--refresh", worldRefresh.String(), "--memory", "16MiB")
	return w
}

// do makes one step.
func (w *world) do(t *testing.T, s worldStep) {
	after, ok := s.next(w.state)
	if !ok {
		return
	}
	w.history.begin(after)
	if err := s.apply(w.site, w.state); err != nil {
		t.Fatalf("%v: %v", s, err)
	}
	w.history.end()
	w.state = after
	time.Sleep(s.pause)
}

// runWorld makes all steps of a script in a new world while it is read. The error is
// what was seen that never was.
func runWorld(t *testing.T, script []worldStep, seed uint64) error {
	t.Helper()
	w := newWorld(t)
	defer func() {
		w.mount.stop(t)
		must(t, os.RemoveAll(w.site.Dir()))
		must(t, os.RemoveAll(w.scratch))
	}()
	errs := make([]error, worldReadersMax)
	var readers sync.WaitGroup
	for i := range errs {
		readers.Go(func() {
			errs[i] = w.read(t, seed+uint64(i))
			if errs[i] != nil {
				w.over.Store(true)
			}
		})
	}
	for _, s := range script {
		if w.alive() {
			w.do(t, s)
		}
	}
	w.over.Store(true)
	readers.Wait()
	t.Logf("seed %d: %d steps, %d copies, %d copies with an error", seed, len(script), w.copied.Load(), w.failed.Load())
	return errors.Join(append(errs, w.quiet(t))...)
}

// quiet compares the mount with the model when nothing changes any more.
func (w *world) quiet(t *testing.T) error {
	want, copied := w.state.parts(), filepath.Join(w.scratch, "last")
	time.Sleep(2 * worldRefresh)
	if names, _ := w.names(t); names != want[partNames] {
		return fmt.Errorf("in the end the listing is %q, want %q", names, want[partNames])
	}
	for _, image := range []string{"plain", "packed", "tree"} {
		ok := false
		for range 3 { // an error tells of a change; the open after it is right
			if ok = copyWorld(t, rand.New(rand.NewPCG(0, 0)), w.mount.path(image+".tgz"), copied); ok {
				break
			}
		}
		if !ok {
			return fmt.Errorf("in the end %s.tgz cannot be copied", image)
		}
		parts, err := bundleParts(copied, image)
		if err != nil {
			return fmt.Errorf("in the end: %w", err)
		}
		for part, value := range parts {
			if value != want[part] {
				return fmt.Errorf("in the end %s is:\n%s\nwant:\n%s", part, clip(value), clip(want[part]))
			}
		}
	}
	return nil
}

// shorten returns the shortest script found that still fails, and how: each part of
// half its length, a quarter and so on is left out in turn.
func shorten(t *testing.T, script []worldStep, seed uint64, err error) ([]worldStep, error) {
	t.Helper()
	deadline := time.Now().Add(soak(t, time.Minute))
	for size := len(script) / 2; size > 0; size /= 2 {
		for from := 0; from+size <= len(script); {
			if time.Now().After(deadline) {
				return script, err
			}
			shorter := slices.Delete(slices.Clone(script), from, from+size)
			if again := runWorld(t, shorter, seed); again != nil {
				script, err = shorter, again
			} else {
				from += size
			}
		}
	}
	return script, err
}

// Whatever changes in rows and files, every copy that ends without an error, and every
// listing, is a state that there was meanwhile; and in the end all is as it is.
func TestRandomWorldIsReadAsItWas(t *testing.T) {
	t.Parallel()
	needTools(t, "rsync")
	seed, limit := randomSeed(t), soak(t, time.Second)
	for began := time.Now(); ; seed++ {
		script := worldScript(rand.New(rand.NewPCG(seed, 0)), 150)
		if err := runWorld(t, script, seed); err != nil {
			shortest, last := shorten(t, script, seed, err)
			t.Fatalf("IMGEXPORTFS_SEED=%d: %v\n\nthe shortest script found, of %d steps:\n%s\nends with: %v", seed, err, len(shortest), scriptText(shortest), last)
		}
		if time.Since(began) > limit {
			return
		}
	}
}
