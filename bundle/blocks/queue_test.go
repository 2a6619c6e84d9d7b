package blocks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// order runs jobs on one worker, all of which are queued before the first one
// runs, and returns in which order they ran.
func order(t *testing.T, submit func(q *Queue, note func(string) *job)) string {
	t.Helper()
	q := NewQueue(1, slog.New(slog.DiscardHandler))
	gate, done := make(chan struct{}), make(chan struct{})
	q.NewClient(Waiting).submit(&job{run: func() { <-gate }})
	var ran []string
	submit(q, func(s string) *job { return &job{run: func() { ran = append(ran, s) }} })
	last := q.NewClient(Background)
	last.urgency = urgencies - 1
	last.submit(&job{run: func() { close(done) }})
	close(gate)
	<-done
	q.Close()
	return strings.Join(ran, " ")
}

func TestWhatSomebodyWaitsForGoesFirst(t *testing.T) {
	got := order(t, func(q *Queue, note func(string) *job) {
		background, ahead, waiting := q.NewClient(Background), q.NewClient(Ahead), q.NewClient(Waiting)
		background.submit(note("background"))
		ahead.submit(note("ahead"))
		late := note("late")
		ahead.submit(late)
		waiting.submit(note("waiting"))
		waiting.hurry(late)
		ahead.hurry(late) // is no hurry any more
	})
	if want := "waiting late ahead background"; got != want {
		t.Errorf("order %q, want %q", got, want)
	}
}

func TestClientsTakeTurns(t *testing.T) {
	got := order(t, func(q *Queue, note func(string) *job) {
		a, b, c := q.NewClient(Ahead), q.NewClient(Ahead), q.NewClient(Ahead)
		for i := range 3 {
			a.submit(note(fmt.Sprint("a", i)))
		}
		for i := range 2 {
			b.submit(note(fmt.Sprint("b", i)))
		}
		c.submit(note("c0"))
	})
	if want := "a0 b0 c0 a1 b1 a2"; got != want {
		t.Errorf("order %q, want %q", got, want)
	}
}

func TestAPassThatSomebodyWaitsForOvertakesOthers(t *testing.T) {
	got := order(t, func(q *Queue, note func(string) *job) {
		other, pass := q.NewClient(Background), q.NewClient(Background)
		other.submit(note("other"))
		pass.submit(note("before"))
		pass.SetUrgency(Waiting)
		pass.submit(note("after"))
	})
	if want := "before after other"; got != want {
		t.Errorf("order %q, want %q", got, want)
	}
}

func TestNoMoreJobsRunAtATimeThanTheLimit(t *testing.T) {
	q := NewQueue(3, slog.New(slog.DiscardHandler))
	var running, most atomic.Int64
	err := q.NewClient(Waiting).Each(t.Context(), 200, func(int) error {
		most.Store(max(most.Load(), running.Add(1)))
		time.Sleep(100 * time.Microsecond)
		running.Add(-1)
		return nil
	})
	if err != nil || most.Load() > 3 || most.Load() < 2 {
		t.Errorf("%d at a time, %v", most.Load(), err)
	}
	q.Close()
}

func TestAJobThatHangsDoesNotKeepOthersWaiting(t *testing.T) {
	q := NewQueue(2, slog.New(slog.DiscardHandler))
	gate := make(chan struct{})
	var hanging sync.WaitGroup
	for range 5 {
		hanging.Add(1)
		q.NewClient(Waiting).submit(&job{run: func() { defer hanging.Done(); <-gate }})
	}
	start := time.Now()
	if err := q.NewClient(Ahead).Each(t.Context(), 10, func(int) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 4*stuckAfter {
		t.Errorf("others waited for %v", took)
	}
	close(gate)
	hanging.Wait()
	q.Close() // and then the count of those that run is right
	if q.running != 0 {
		t.Errorf("%d are said to run", q.running)
	}
}

func TestTheFirstErrorEndsEach(t *testing.T) {
	q := NewQueue(2, slog.New(slog.DiscardHandler))
	bad := errors.New("bad")
	var calls atomic.Int64
	err := q.NewClient(Waiting).Each(t.Context(), 1000, func(i int) error {
		calls.Add(1)
		if i == 5 {
			return bad
		}
		return nil
	})
	if !errors.Is(err, bad) || calls.Load() > 20 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = q.NewClient(Waiting).Each(ctx, 1000, func(i int) error {
		if i == 5 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestAPanicIsAnErrorAndALineWithTheStack(t *testing.T) {
	var log bytes.Buffer
	q := NewQueue(2, slog.New(slog.NewTextHandler(&log, nil)))
	var ran []int
	var mu sync.Mutex
	err := q.NewClient(Waiting).Each(t.Context(), 1, func(int) error { panic("a bug") })
	var panicked ErrPanic
	if !errors.As(err, &panicked) || panicked.Value != "a bug" {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(log.String(), "queue_test.go") {
		t.Errorf("no stack in %q", log.String())
	}
	if err := q.NewClient(Waiting).Each(t.Context(), 3, func(i int) error {
		mu.Lock()
		defer mu.Unlock()
		ran = append(ran, i)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ran)
	if !slices.Equal(ran, []int{0, 1, 2}) {
		t.Errorf("then %v ran", ran)
	}
}
