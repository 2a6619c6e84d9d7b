package fs

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The warmer begins nothing from the opening of a listing until its end, until a bundle is
// looked at, or until nothing more is read of it for a while.
func TestWarmerRestsWhileNamesAreListed(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(w *warmer, first, second *pause)
		rest time.Duration // how long the warmer rests
	}{
		"both end":          {func(_ *warmer, a, b *pause) { a.end(); b.end() }, 0},
		"one ends":          {func(_ *warmer, a, _ *pause) { a.end() }, pauseMax},
		"one ends twice":    {func(_ *warmer, a, _ *pause) { a.end(); a.end() }, pauseMax},
		"a bundle":          {func(w *warmer, _, _ *pause) { w.resume() }, 0},
		"a bundle, and end": {func(w *warmer, a, b *pause) { w.resume(); a.end(); b.end() }, 0},
		"left open":         {func(*warmer, *pause, *pause) {}, pauseMax},
		"read slowly":       {func(_ *warmer, a, _ *pause) { time.Sleep(pauseMax / 2); a.prolong() }, 3 * pauseMax / 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWarmer(nil)
				began := time.Now()
				c.do(w, w.pause(), w.pause())
				if err := w.rest(context.Background()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took != c.rest {
					t.Errorf("it rests for %v, want %v", took, c.rest)
				}
				ended, end := context.WithCancel(context.Background())
				end()
				w.pause()
				if w.rest(ended) == nil {
					t.Error("a rest goes on when there is no more work to come")
				}
			})
		})
	}
}
