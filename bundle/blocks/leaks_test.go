package blocks

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"
)

// idle waits until the block of a key is made and nobody uses it.
func (k *kitchen) idle(t *testing.T, i int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		k.budget.mu.Lock()
		b := k.blocks[Key{byte(i)}]
		users := -1
		if b != nil {
			users = b.share.users
		}
		k.budget.mu.Unlock()
		if users == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("block %d has %d users", i, users)
		}
	}
}

// A use that never ends keeps the memory of a block for ever.
func TestEveryUseOfABlockEnds(t *testing.T) {
	for name, use := range map[string]func(t *testing.T, k *kitchen){
		"an interrupted reader": func(t *testing.T, k *kitchen) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := k.Get(ctx, k.client, k.recipe(0), false); err == nil {
				t.Error("no error")
			}
		},
		"a look at a block in the making": func(t *testing.T, k *kitchen) {
			k.Prefetch(k.client, k.recipe(0))
			if _, made := k.Peek(Key{0}); made {
				t.Error("it is made already")
			}
		},
		"what is made ahead": func(t *testing.T, k *kitchen) {
			if !k.Prefetch(k.client, k.recipe(0)) {
				t.Error("there is room")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKitchen(t, 1<<20, 1)
			k.gate = make(chan struct{})
			use(t, k)
			close(k.gate)
			k.idle(t, 0)
		})
	}
}

func TestClosingAQueueWaitsForWhatRuns(t *testing.T) {
	q := NewQueue(1, slog.New(slog.DiscardHandler))
	goOn, ended := make(chan struct{}), atomic.Bool{}
	q.NewClient(Waiting).submit(&job{run: func() {
		<-goOn
		time.Sleep(10 * time.Millisecond)
		ended.Store(true)
	}})
	time.AfterFunc(10*time.Millisecond, func() { close(goOn) })
	if q.Close(); !ended.Load() {
		t.Error("closed while a job runs")
	}
}

// Those who wait for jobs that are still queued, or come later, hear that none will run.
func TestNobodyWaitsForAClosedQueue(t *testing.T) {
	q := NewQueue(1, slog.New(slog.DiscardHandler))
	cache := NewCache(NewBudget(1<<20), q, func([]byte) {})
	goOn, began, ran := make(chan struct{}), make(chan struct{}), atomic.Int64{}
	q.NewClient(Waiting).submit(&job{run: func() { close(began); <-goOn }})
	<-began
	errs := make(chan error, 4)
	queued := func() (jobs int) {
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, ready := range q.ready {
			for e := ready.Front(); e != nil; e = e.Next() {
				jobs += e.Value.(*Client).jobs.Len()
			}
		}
		return jobs
	}
	for _, u := range []Urgency{Waiting, Background} {
		go func() {
			errs <- q.NewClient(u).Each(context.Background(), 100, func(int) error { ran.Add(1); return nil })
		}()
		go func() {
			made := func() ([]byte, error) { ran.Add(1); return nil, nil }
			_, err := cache.Get(context.Background(), q.NewClient(u), Recipe{Key: Key{byte(u)}, Size: 10, Make: made}, false)
			errs <- err
		}()
	}
	for queued() < 2+2*2 { // two blocks, and as many calls of each pass as are queued at a time
		time.Sleep(time.Millisecond)
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		q.Close()
	}()
	expectClosed := func() {
		select {
		case err := <-errs:
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%v, want %v", err, ErrClosed)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("somebody still waits")
		}
	}
	for range cap(errs) {
		expectClosed()
	}
	close(goOn)
	<-closed
	go func() {
		errs <- q.NewClient(Waiting).Each(context.Background(), 1, func(int) error { ran.Add(1); return nil })
	}()
	expectClosed()
	if ran.Load() > 0 || cache.budget.Used() > 0 {
		t.Errorf("%d jobs have run, and %d bytes are taken", ran.Load(), cache.budget.Used())
	}
}

// What is in use takes the place of what is not, and not only when its use ends.
func TestANewThingDropsWhatNobodyUses(t *testing.T) {
	b := NewBudget(10)
	dropped := 0
	for range 2 {
		b.Add(5, func() { dropped++ }).Release()
	}
	if used := b.Used(); used != 10 || dropped != 0 {
		t.Fatalf("%d bytes, %d dropped", used, dropped)
	}
	b.Add(3, func() { t.Error("it is in use") })
	if used := b.Used(); used != 8 || dropped != 1 {
		t.Errorf("%d bytes, %d dropped", used, dropped)
	}
	b.Add(20, func() { t.Error("it is in use") })
	if used := b.Used(); used != 23 || dropped != 2 {
		t.Errorf("%d bytes, %d dropped", used, dropped)
	}
}

// A reader that waits for memory goes on when others need less, also if nothing else
// happens.
func TestAReaderThatWaitsHearsOfMemory(t *testing.T) {
	k := newKitchen(t, 2*blockSize, 1)
	held := []*Block{k.get(t, 0), k.get(t, 1)}
	got := make(chan *Block)
	go func() {
		b, err := k.Get(context.Background(), k.client, k.recipe(2), false)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	for waits := false; !waits; time.Sleep(time.Millisecond) {
		k.budget.mu.Lock()
		waits = k.budget.freed != nil
		k.budget.mu.Unlock()
	}
	for _, b := range held {
		b.Release()
	}
	select {
	case b := <-got:
		b.Release()
	case <-time.After(20 * time.Second):
		t.Error("it waits although there is room")
	}
}
