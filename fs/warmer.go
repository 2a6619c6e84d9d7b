package fs

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/source"
)

// warmer finds out the sizes of bundles before they are asked for, one bundle
// after the other, those that were last looked at first. What requests wait for
// goes before its work, and it begins none while the names in a folder are listed. A
// reader who looks at each file too, as ls -l does, uses what it finds.
type warmer struct {
	versions *versions

	mu    sync.Mutex // guards what follows
	queue *list.List // of view: what to do, next in front
	place map[view]*list.Element
	more  chan struct{} // holds a token while the queue may not be empty
	lists int           // of folders, in progress, while they look at no bundle
	quiet chan struct{} // closed when lists becomes 0
}

func newWarmer(vs *versions) *warmer {
	return &warmer{versions: vs, queue: list.New(), place: map[view]*list.Element{}, more: make(chan struct{}, 1)}
}

// add puts views behind what there is to do.
func (w *warmer) add(views []view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, of := range views {
		if w.place[of] == nil {
			w.place[of] = w.queue.PushBack(of)
		}
	}
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// hurry puts a view that is still to do in front, because it is looked at.
func (w *warmer) hurry(of view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if place := w.place[of]; place != nil {
		w.queue.MoveToFront(place)
	}
}

// pause has the warmer begin nothing until the pause ends.
func (w *warmer) pause() *pause {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lists++; w.lists == 1 {
		w.quiet = make(chan struct{})
	}
	p := &pause{warmer: w}
	p.timer = time.AfterFunc(pauseMax, p.end)
	return p
}

// pause is one for a folder that is listed.
type pause struct {
	warmer *warmer
	timer  *time.Timer // set under warmer.mu, which end takes, for it may fire at any time
	ended  bool        // guarded by warmer.mu
}

// pauseMax is when a pause ends that is not prolonged: a program may keep a folder open.
const pauseMax = time.Second

// prolong is called while the listing goes on.
func (p *pause) prolong() { p.timer.Reset(pauseMax) }

func (p *pause) end() {
	w := p.warmer
	w.mu.Lock()
	defer w.mu.Unlock()
	p.timer.Stop()
	if !p.ended && w.lists > 0 {
		w.setLists(w.lists - 1)
	}
	p.ended = true
}

// resume is called when a bundle is looked at: it ends the pauses of all listings. When
// those end for themselves, they may end one that began later, which costs it little.
func (w *warmer) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lists > 0 {
		w.setLists(0)
	}
}

// setLists makes lists less. w.mu is held.
func (w *warmer) setLists(n int) {
	if w.lists = n; n == 0 {
		close(w.quiet)
	}
}

// rest returns when no folder is listed.
func (w *warmer) rest(ctx context.Context) error {
	for {
		w.mu.Lock()
		lists, quiet := w.lists, w.quiet
		w.mu.Unlock()
		if lists == 0 {
			return nil
		}
		select {
		case <-quiet:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pop takes the view in front.
func (w *warmer) pop() (of view, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	front := w.queue.Front()
	if front == nil {
		return view{}, false
	}
	of = w.queue.Remove(front).(view)
	delete(w.place, of)
	return of, true
}

// queued is how many views are still to do.
func (w *warmer) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.Len()
}

// run works until ctx ends.
func (w *warmer) run(ctx context.Context) {
	log := w.versions.log
	// The first look at the site fills the queue.
	if _, err := w.versions.look(ctx); err != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.more:
		}
		for w.rest(ctx) == nil && ctx.Err() == nil {
			of, ok := w.pop()
			if !ok {
				break
			}
			err := blocks.Guarded(log, "find the size of image "+of.image, func() error { return w.size(ctx, of) })
			if err != nil && ctx.Err() == nil && !errors.Is(err, source.ErrChanged) && !isTimeout(err) {
				log.Error("the size of a bundle could not be found", "image", of.image, "error", err)
			}
		}
	}
}

// size finds the size of one bundle. What the engine learns stays.
func (w *warmer) size(ctx context.Context, of view) error {
	_, p, _, err := w.versions.presentPlan(ctx, of)
	if err != nil {
		return err
	}
	defer p.release()
	if p.bundle == nil {
		return nil // NAME.errors says why
	}
	return p.bundle.Prepare(ctx)
}
