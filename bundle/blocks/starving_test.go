package blocks

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A job that somebody waits for runs as soon as one of the running jobs ends, however much
// is queued to be made ahead and in the background. What is made ahead goes before what
// is made in the background, which gets all that is left.
func TestReadersNeverWaitForWorkThatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, takes = 2, 10 * time.Millisecond
		q := NewQueue(workers, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		var background, ahead atomic.Int64
		count := func(n *atomic.Int64) func(int) error {
			return func(int) error { time.Sleep(takes); n.Add(1); return nil }
		}
		var others sync.WaitGroup
		others.Go(func() { _ = q.NewClient(Background).Each(ctx, 1_000_000, count(&background)) })
		others.Go(func() { _ = q.NewClient(Ahead).Each(t.Context(), 400, count(&ahead)) })
		reader := q.NewClient(Waiting)
		for range 200 {
			time.Sleep(7 * time.Millisecond)
			asked := time.Now()
			done := make(chan struct{})
			reader.submit(&job{run: func() { close(done) }})
			<-done
			if waited := time.Since(asked); waited > takes {
				t.Fatalf("a reader waits %v for a worker, although a job takes %v", waited, takes)
			}
			if background.Load() > workers && ahead.Load() < 400-2*workers {
				t.Fatalf("%d jobs of the background ran before %d of 400 that are ahead", background.Load(), ahead.Load())
			}
		}
		time.Sleep(5 * time.Second)
		if ahead.Load() != 400 || background.Load() < 100 {
			t.Errorf("%d jobs ahead and %d in the background have run", ahead.Load(), background.Load())
		}
		stop()
		others.Wait()
		q.Close()
	})
}

// What is being made ahead, and then somebody waits for, goes before the rest.
func TestABlockThatSomebodyWaitsForOvertakesWhatIsMadeAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKitchen(t, 1<<20, 1)
		k.gate = make(chan struct{})
		ahead := k.queue.NewClient(Ahead)
		for i := range 10 {
			k.Prefetch(ahead, k.recipe(i))
		}
		go func() {
			k.get(t, 9).Release()
		}()
		synctest.Wait()
		k.gate <- struct{}{} // of block 0, which was begun
		k.gate <- struct{}{}
		synctest.Wait()
		if _, there := k.Peek(Key{9}); !there {
			t.Error("another block was made before the one that is wanted")
		}
		close(k.gate)
	})
}

// crowd is many readers of few blocks with little memory.
type crowd struct {
	*kitchen
	random func(n int) int

	mu     sync.Mutex    // guards what follows
	makers [20]int       // makings in progress
	failed [20]time.Time // when the last making that failed has ended
	wrong  []string
}

var errCrowd = errors.New("cannot be made")

func newCrowd(t *testing.T, random *rand.Rand) *crowd {
	c := &crowd{kitchen: newKitchen(t, int64(1+random.IntN(6))*blockSize, 1+random.IntN(3))}
	var mu sync.Mutex
	c.random = func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	return c
}

// recipe takes up to 20 ms, and fails at times.
func (c *crowd) recipe(i int) Recipe {
	r := c.kitchen.recipe(i)
	made := r.Make
	r.Make = func() ([]byte, error) {
		c.note(func() {
			if c.makers[i]++; c.makers[i] > 1 {
				c.wrong = append(c.wrong, "a block is made twice at a time")
			}
		})
		time.Sleep(time.Duration(c.random(20)) * time.Millisecond)
		fails := c.random(20) == 0
		defer c.note(func() {
			if c.makers[i]--; fails {
				c.failed[i] = time.Now()
			}
		})
		if fails {
			return nil, errCrowd
		}
		return made()
	}
	return r
}

func (c *crowd) note(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// read gets one block after the other, at times two at once, and at times gives up. It
// returns the longest time that it has waited for one.
func (c *crowd) read(blocks int) (longest time.Duration) {
	client := c.queue.NewClient(Waiting)
	for range blocks {
		first, asked := c.random(20), time.Now()
		b := c.getOne(client, first, false)
		longest = max(longest, time.Since(asked))
		if b == nil {
			continue
		}
		if c.random(2) == 0 {
			if next := c.getOne(client, (first+1)%20, true); next != nil {
				next.Discard()
			}
		}
		time.Sleep(time.Duration(c.random(3)) * time.Millisecond)
		if b.Data()[0] != byte(first) {
			c.note(func() { c.wrong = append(c.wrong, "another block's bytes") })
		}
		b.Release()
	}
	return longest
}

func (c *crowd) getOne(client *Client, i int, holding bool) *Block {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	gaveUp := c.random(10) == 0
	if gaveUp {
		time.AfterFunc(time.Duration(c.random(50))*time.Millisecond, cancel)
	}
	asked := time.Now()
	b, err := c.Get(ctx, client, c.recipe(i), holding)
	switch {
	case err == nil:
		return b
	case gaveUp && errors.Is(err, context.Canceled):
	case !errors.Is(err, errCrowd):
		c.note(func() { c.wrong = append(c.wrong, err.Error()) })
	default:
		c.note(func() {
			if c.failed[i].Before(asked) {
				c.wrong = append(c.wrong, "an error that is older than the call")
			}
		})
	}
	return nil
}

// Many readers that compete for little memory all get on: each gets the right bytes, or
// the error of a making that went on while it waited, and none waits for long.
func TestNoReaderOfACrowdStarves(t *testing.T) {
	forManySeeds(t, func(t *testing.T, random *rand.Rand) {
		c := newCrowd(t, random)
		const readers, blocks = 30, 40
		waits := make([]time.Duration, readers)
		var all sync.WaitGroup
		for i := range waits {
			all.Go(func() { waits[i] = c.read(blocks) })
		}
		all.Wait()
		time.Sleep(time.Second) // what was given up is made all the same
		for i, wait := range waits {
			// Alone, one after the other, 30 blocks take 0.3 s to be made.
			if wait > 10*time.Second {
				t.Errorf("reader %d has waited for %v", i, wait)
			}
		}
		for _, wrong := range c.wrong {
			t.Error(wrong)
		}
		if used, limit := c.budget.Used(), c.budget.Limit(); used > limit || c.busy != 0 {
			t.Errorf("in the end %d of %d bytes are taken, and %d are in use", used, limit, c.busy)
		}
		c.queue.Close()
	})
}
