package bundle

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted is a blob of equal blocks that counts how often each is made.
type counted struct {
	salt  byte
	size  int64
	made  []atomic.Int64
	fails atomic.Bool
	gate  chan struct{} // if not nil, making waits for it

	isQuick bool
}

func newCounted(salt byte, blocks int, size int64) *counted {
	return &counted{salt: salt, size: size, made: make([]atomic.Int64, blocks)}
}

func (c *counted) blockKey(i int) key  { return key{c.salt, byte(i), byte(i >> 8)} }
func (c *counted) blockSize(int) int64 { return c.size }

func (c *counted) quick(int) bool { return c.isQuick }

func (c *counted) makeBlock(_ *worker, i int) ([]byte, error) {
	if c.gate != nil {
		<-c.gate
	}
	c.made[i].Add(1)
	if c.fails.Load() {
		return nil, errors.New("cannot be made")
	}
	b := make([]byte, c.size)
	for j := range b {
		b[j] = byte(i)
	}
	return b, nil
}

func (c *counted) offsets(context.Context) ([]int64, error) {
	starts := make([]int64, len(c.made)+1)
	for i := range c.made {
		starts[i+1] = starts[i] + c.size
	}
	return starts, nil
}

func TestABlockIsMadeOnceHoweverManyWantIt(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	c := newCounted(1, 1, 1000)
	c.gate = make(chan struct{})
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			blk, err := e.get(context.Background(), c, 0)
			if err != nil {
				t.Error(err)
				return
			}
			e.cache.release(blk)
		})
	}
	time.Sleep(10 * time.Millisecond)
	close(c.gate)
	readers.Wait()
	if n := c.made[0].Load(); n != 1 {
		t.Errorf("made %d times", n)
	}
}

func TestAFailedBlockIsTriedAgain(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	c := newCounted(1, 1, 1000)
	c.fails.Store(true)
	if _, err := e.get(context.Background(), c, 0); err == nil {
		t.Fatal("no error")
	}
	c.fails.Store(false)
	blk, err := e.get(context.Background(), c, 0)
	if err != nil || len(blk.data) != 1000 {
		t.Fatal(blk, err)
	}
	e.cache.release(blk)
	if e.cache.used != 1000 {
		t.Errorf("%d bytes in use", e.cache.used)
	}
}

func TestAWaitingReaderCanBeInterrupted(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	c := newCounted(1, 1, 1000)
	c.gate = make(chan struct{})
	defer close(c.gate)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := e.get(ctx, c, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("get = %v", err)
	}
}

func TestReadingForwardMakesAheadAndJumpingDoesNot(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	read := func(c *counted, blocks ...int) {
		r := e.newReader(c)
		defer r.Close()
		p := make([]byte, c.size)
		for _, i := range blocks {
			if _, err := r.ReadAt(context.Background(), p, int64(i)*c.size); err != nil {
				t.Fatal(err)
			}
		}
		// The blocks made ahead are in the queue or done.
		e.cache.mu.Lock()
		defer e.cache.mu.Unlock()
	}
	blocks := func(c *counted) (n int) {
		e.cache.mu.Lock()
		defer e.cache.mu.Unlock()
		for k := range e.cache.blocks {
			if k[0] == c.salt {
				n++
			}
		}
		return n
	}
	forward, jumping := newCounted(1, 100, 1000), newCounted(2, 100, 1000)
	read(forward, 0, 1, 2, 3, 4)
	read(jumping, 50, 10, 90, 30, 70)
	if n := blocks(forward); n <= 10 || n > 5+windowMax {
		t.Errorf("after 5 blocks forward there are %d", n)
	}
	if n := blocks(jumping); n != 5 {
		t.Errorf("after 5 jumps there are %d blocks", n)
	}
}

func TestLeastRecentlyUsedBlocksGoFirst(t *testing.T) {
	e := newEngine(t, EngineOptions{Memory: 3000})
	c := newCounted(1, 10, 1000)
	for _, i := range []int{0, 1, 2, 0, 3, 0} { // 1 goes for 3
		blk, err := e.get(context.Background(), c, i)
		if err != nil {
			t.Fatal(err)
		}
		e.cache.release(blk)
	}
	for i, want := range []int64{1, 1, 1, 1} {
		if got := c.made[i].Load(); got != want {
			t.Errorf("block %d was made %d times", i, got)
		}
	}
	blk, err := e.get(context.Background(), c, 1)
	if err != nil {
		t.Fatal(err)
	}
	e.cache.release(blk)
	if c.made[1].Load() != 2 {
		t.Error("block 1 was still there")
	}
}

func TestQuickBlocksMakeRoomOnceTheyAreRead(t *testing.T) {
	for _, quick := range []bool{true, false} {
		e := newEngine(t, EngineOptions{})
		c := newCounted(1, 20, 1000)
		c.isQuick = quick
		r := e.newReader(c)
		defer r.Close()
		p := make([]byte, 500)
		for off := int64(0); off < 20_000; off += 500 {
			if _, err := r.ReadAt(context.Background(), p, off); err != nil {
				t.Fatal(err)
			}
		}
		e.cache.mu.Lock()
		kept := len(e.cache.blocks)
		e.cache.mu.Unlock()
		if want := map[bool]int{true: 0, false: 20}[quick]; kept != want {
			t.Errorf("quick %v: %d blocks are kept, want %d", quick, kept, want)
		}
		for i := range c.made {
			if n := c.made[i].Load(); n != 1 {
				t.Errorf("quick %v: block %d was made %d times", quick, i, n)
			}
		}
	}
}

func TestDemandedWorkOvertakesTheRest(t *testing.T) {
	p, err := newWorkers(1, Codec{Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	started, gate := make(chan struct{}), make(chan struct{})
	p.submit(&job{run: func(*worker) { close(started); <-gate }}, demanded)
	<-started
	var order []string
	done := make(chan struct{})
	note := func(s string) *job { return &job{run: func(*worker) { order = append(order, s) }} }
	p.submit(&job{run: func(*worker) { order = append(order, "size"); close(done) }}, sizing)
	p.submit(note("ahead 1"), ahead)
	late := note("ahead 2")
	p.submit(late, ahead)
	p.submit(note("wanted"), demanded)
	p.hurry(late, demanded)
	close(gate)
	<-done
	want := []string{"wanted", "ahead 2", "ahead 1", "size"}
	for i := range want {
		if i >= len(order) || order[i] != want[i] {
			t.Fatalf("order %q, want %q", order, want)
		}
	}
}
