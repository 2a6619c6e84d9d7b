package source

import (
	"testing"
	"testing/synctest"
	"time"
)

// Many calls that follow each other are not one that hangs; one of them can be.
func TestARowOfCallsIsStuckWhenOneOfThemIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const longer = 500 * time.Millisecond
		r := &Root{calls: calls{open: map[*Call]struct{}{}}}
		next, end := r.calls.beginRow("/install")
		for range 10 {
			time.Sleep(longer - time.Millisecond)
			if stuck := r.Stuck(longer); len(stuck) > 0 {
				t.Fatalf("%v", stuck)
			}
			next()
		}
		time.Sleep(longer + time.Millisecond)
		if stuck := r.Stuck(longer); len(stuck) != 1 || stuck[0].Path != "/install" {
			t.Errorf("%v", stuck)
		}
		end()
		if stuck := r.Stuck(0); len(stuck) > 0 {
			t.Errorf("%v after the end", stuck)
		}
	})
}
