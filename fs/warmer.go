package fs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"imgexportfs/bundle/source"
)

// warmer finds out the sizes of bundles before somebody asks, one bundle
// after the other, those last asked for first. Whatever anybody waits for
// goes before its work, apart from the samples of large files: whoever comes to
// an image that is being planned waits for those too.
type warmer struct {
	gallery *gallery

	mu     sync.Mutex // guards what follows
	stack  []exhibit  // what to do, last first
	queued map[exhibit]bool
	more   chan struct{} // holds a token while the stack may not be empty
}

func newWarmer(g *gallery) *warmer {
	return &warmer{gallery: g, queued: map[exhibit]bool{}, more: make(chan struct{}, 1)}
}

// add puts exhibits under what there is to do, the first on top.
func (w *warmer) add(list []exhibit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fresh := make([]exhibit, 0, len(list)+len(w.stack))
	for _, of := range slices.Backward(list) {
		if !w.queued[of] {
			w.queued[of] = true
			fresh = append(fresh, of)
		}
	}
	w.stack = append(fresh, w.stack...)
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// hurry puts an exhibit that is still to do on top, for somebody looks at it.
func (w *warmer) hurry(of exhibit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queued[of] {
		i := slices.Index(w.stack, of)
		w.stack = append(slices.Delete(w.stack, i, i+1), of)
	}
}

// pop takes the exhibit that was asked for last.
func (w *warmer) pop() (of exhibit, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.stack) == 0 {
		return exhibit{}, false
	}
	of = w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	delete(w.queued, of)
	return of, true
}

// run works until ctx ends.
func (w *warmer) run(ctx context.Context, log *slog.Logger) {
	// The first look at the site fills the stack.
	if _, _, err := w.gallery.look(ctx); err != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.more:
		}
		for of, ok := w.pop(); ok && w.gallery.listings.wait(ctx) == nil; of, ok = w.pop() {
			if err := w.size(ctx, of); err != nil && ctx.Err() == nil && !errors.Is(err, source.ErrChanged) {
				log.Error("the size of a bundle could not be found out", "image", of.image, "error", err)
			}
		}
	}
}

// size finds out the size of one bundle. What the engine learns stays.
func (w *warmer) size(ctx context.Context, of exhibit) error {
	v, done, err := w.gallery.borrow(ctx, of)
	if err != nil {
		return err
	}
	defer done()
	if v.bundle == nil {
		return nil // NAME.errors says why
	}
	return v.bundle.Prepare(ctx)
}
