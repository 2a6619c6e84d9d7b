package fs

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/source"
)

// trees are the root image trees as they were last walked. All views of an
// image share one, which is in the budget.
type trees struct {
	life   context.Context // of walks
	root   *source.Root
	budget *blocks.Budget
	log    *slog.Logger
	walk   walkFunc // bundle.NewTree; tests have their own

	mu     sync.Mutex // guards what follows
	places map[string]*treePlace
}

// walkFunc is how a tree is walked.
type walkFunc func(ctx context.Context, root *source.Root, dir, name string) (*bundle.Tree, source.Findings, error)

// treePlace is a directory where a tree was walked.
type treePlace struct {
	tree atomic.Pointer[tree] // nil if it was dropped

	// Guarded by trees.mu.
	at   time.Time // when the walk began that has found it
	walk *walk     // in progress, or nil
}

// tree is a tree in one state. Each user of it calls release once.
type tree struct {
	content  *bundle.Tree
	findings source.Findings
	share    *blocks.Share
}

func (t *tree) release() { t.share.Release() }

// walk is a walk through a tree in progress.
type walk struct {
	began   time.Time
	waiters int // guarded by trees.mu; the walk keeps the tree for each of them
	done    chan struct{}
	tree    *tree
	err     error
}

func newTrees(life context.Context, root *source.Root, budget *blocks.Budget, log *slog.Logger) *trees {
	return &trees{life: life, root: root, budget: budget, log: log, walk: bundle.NewTree, places: map[string]*treePlace{}}
}

// get returns the tree called name below dir as it was at since or later, and
// the time. It is walked by one goroutine, however many wait for that.
func (t *trees) get(dir, name string, since time.Time) (*tree, time.Time, error) {
	for {
		t.mu.Lock()
		place := t.places[dir]
		if place == nil {
			t.forgetDropped()
			place = &treePlace{}
			t.places[dir] = place
		}
		if known := place.tree.Load(); known != nil && !place.at.Before(since) && known.share.Use() {
			defer t.mu.Unlock()
			return known, place.at, nil
		}
		w := place.walk
		if w == nil {
			w = &walk{began: time.Now(), done: make(chan struct{})}
			place.walk = w
			go t.run(place, w, dir, name)
		}
		w.waiters++
		t.mu.Unlock()
		<-w.done
		if w.err == nil && w.began.Before(since) {
			w.tree.release()
			continue
		}
		return w.tree, w.began, w.err
	}
}

// walking returns when the walk through a tree began that is in progress, or zero.
func (t *trees) walking(dir string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if place := t.places[dir]; place != nil && place.walk != nil {
		return place.walk.began
	}
	return time.Time{}
}

// run walks.
func (t *trees) run(place *treePlace, w *walk, dir, name string) {
	var content *bundle.Tree
	var findings source.Findings
	w.err = blocks.Guarded(t.log, "walk through "+dir+"/"+name, func() (err error) {
		content, findings, err = t.walk(t.life, t.root, dir, name)
		return err
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(w.done)
	place.walk = nil
	if w.err != nil {
		return
	}
	place.at = w.began
	known := place.tree.Load()
	if known == nil || !known.content.Same(content) || !slices.Equal(known.findings, findings) || !known.share.Use() {
		known = &tree{content: content, findings: findings}
		known.share = t.budget.Add(content.Memory(), func() { place.tree.CompareAndSwap(known, nil) })
		place.tree.Store(known)
	}
	for range w.waiters {
		known.share.Use()
	}
	known.release()
	w.tree = known
}

// forgetDropped forgets the places without a tree. The caller holds mu.
func (t *trees) forgetDropped() {
	for dir, place := range t.places {
		if place.walk == nil && place.tree.Load() == nil {
			delete(t.places, dir)
		}
	}
}
