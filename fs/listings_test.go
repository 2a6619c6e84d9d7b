package fs

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestTheWarmerWaitsForTheLastListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listings
		if err := l.wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		first, second := l.begin(), l.begin()
		passed := false
		go func() {
			_ = l.wait(context.Background())
			passed = true
		}()
		first()
		synctest.Wait()
		if passed {
			t.Error("somebody lists still")
		}
		second()
		synctest.Wait()
		if !passed {
			t.Error("nobody lists any more")
		}
	})
}

func TestWaitingForListingsCanBeInterrupted(t *testing.T) {
	var l listings
	l.begin()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := l.wait(ctx); err == nil {
		t.Error("no error")
	}
}
