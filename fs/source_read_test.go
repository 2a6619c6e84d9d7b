package fs

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// start begins a read that takes so long.
func start(t *testing.T, s *sourceReads, takes time.Duration, stuck bool) *sourceRead {
	t.Helper()
	r, err := s.begin(t.Context(), func() bool { return stuck })
	if err != nil {
		t.Fatal(err)
	}
	go r.run(func() error { time.Sleep(takes); return nil })
	return r
}

// So many reads have memory at a time, and those that have ended leave it to others.
func TestReadsOfSourcesWaitForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := newSourceReads(), time.Now()
		for i := range 3 * readsMax {
			r := start(t, s, time.Second, false)
			go func() { _ = r.wait(t.Context()); r.Done() }()
			if took, want := time.Since(began), time.Duration(i/readsMax)*time.Second; took != want {
				t.Errorf("read %d begins after %v, want %v", i, took, want)
			}
		}
		time.Sleep(time.Minute)
		if n := len(s.slots); n != readsMax {
			t.Errorf("%d slots at the end, want %d", n, readsMax)
		}
	})
}

// Reads that hang hold up others for a moment, and those of a source that is known to hang
// nobody. A read whose request was given up gives its memory back when it ends.
func TestReadsOfSourcesThatHangDoNotCountForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := newSourceReads(), time.Now()
		for range readsMax {
			start(t, s, time.Hour, false).Done() // its request is gone
		}
		for range 100 {
			start(t, s, time.Hour, true).Done()
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("reads of a source that hangs wait for %v", took)
		}
		start(t, s, 0, false).Done()
		if took := time.Since(began); took > readStuckAfter+stuckPoll {
			t.Errorf("a read waits for %v", took)
		}
		time.Sleep(2 * time.Hour)
		if n := len(s.slots); n != readsMax {
			t.Errorf("%d slots when all have ended, want %d", n, readsMax)
		}
	})
}

// One that waits can be interrupted.
func TestAReadThatWaitsForItsTurnCanBeInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSourceReads()
		for range readsMax {
			start(t, s, time.Second, false).Done()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := s.begin(ctx, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Minute)
	})
}
