package bundle

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"imgexportfs/bundle/blocks"
)

// gated is content that can be read when its gate is open, and then perhaps not.
type gated struct {
	Bytes
	gate  chan struct{}
	fails *atomic.Bool

	entered, reads *atomic.Int64
}

var errDisk = errors.New("bad disk")

func newGated(data []byte) gated {
	return gated{data, make(chan struct{}), &atomic.Bool{}, &atomic.Int64{}, &atomic.Int64{}}
}

func (g gated) ReadAt(p []byte, off int64) (int, error) {
	g.entered.Add(1)
	<-g.gate
	g.reads.Add(1)
	if g.fails.Load() {
		return 0, errDisk
	}
	return g.Bytes.ReadAt(p, off)
}

func gatedBundle(t *testing.T, e *Engine, g gated) *Bundle {
	t.Helper()
	m := bytesMember(t, "disk", nil)
	m.Content = g
	return newBundle(t, e, "foo", m)
}

// waitingFor is how many callers wait for the pass that runs.
func (b *Bundle) waitingFor() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pass == nil {
		return -1
	}
	return b.pass.waiting
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// What somebody waits for goes before what a reader may come to, and that before what
// nobody waits for any more.
func TestAPassIsUrgentAsLongAsSomebodyWaits(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		for try := 0; ; try++ {
			if overtook, ok := overtakes(t, interrupted); ok {
				if overtook == interrupted {
					t.Errorf("interrupted %v: the pass overtakes: %v", interrupted, overtook)
				}
				break
			}
			if try == 10 {
				t.Fatal("the machine is too busy")
			}
		}
	}
}

// overtakes reports whether a pass goes before work of the urgency Ahead that is always
// there. It is not ok if the pass began before that work.
func overtakes(t *testing.T, interrupted bool) (overtook, ok bool) {
	e := newEngine(t, EngineOptions{Workers: 1, Codec: Codec{Compression: Deflate}})
	first, g := newGated(prose(seeded(t), segmentMax)), newGated(prose(seeded(t), segmentMax))
	close(g.gate)
	busy, b := gatedBundle(t, e, first), gatedBundle(t, e, g)
	go func() { _ = busy.Prepare(context.Background()) }()
	eventually(t, "the only worker is busy", func() bool { return first.entered.Load() > 0 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = b.Size(ctx)
	}()
	eventually(t, "a caller waits", func() bool { return b.waitingFor() != 0 })
	if interrupted {
		cancel()
		<-ended
	}
	ahead, result := e.queue.NewClient(blocks.Ahead), make(chan bool, 1)
	var step func(k int)
	step = func(k int) {
		e.cache.Prefetch(ahead, blocks.Recipe{Key: blocks.Key{9, byte(k), byte(k >> 8)}, Size: 1, Make: func() ([]byte, error) {
			switch {
			case g.reads.Load() > 0:
				result <- true
			case k == 1000:
				result <- false
			default:
				time.Sleep(time.Millisecond)
				step(k + 1)
			}
			return []byte{0}, nil
		}})
	}
	step(0)
	early := g.reads.Load() > 0
	close(first.gate)
	return <-result, !early
}

// A disk that was bad for a moment is no reason to give up for good.
func TestAPassThatFailedIsMadeAgain(t *testing.T) {
	e := newEngine(t, EngineOptions{Codec: Codec{Compression: Deflate}})
	g := newGated(prose(seeded(t), 2*segmentMax))
	close(g.gate)
	b := gatedBundle(t, e, g)
	g.fails.Store(true)
	if _, err := b.Size(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("a bad disk: %v", err)
	}
	g.fails.Store(false)
	if _, err := b.Size(t.Context()); err != nil {
		t.Errorf("a disk that is good again: %v", err)
	}
}

// What the pass has compressed is there for the reader that comes next.
func TestAReaderFindsWhatThePassHasMade(t *testing.T) {
	e := newEngine(t, EngineOptions{Codec: Codec{Compression: Deflate}})
	g := newGated(prose(seeded(t), 4*segmentMax))
	close(g.gate)
	b := gatedBundle(t, e, g)
	if _, err := b.Size(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := g.reads.Load()
	whole(t, b)
	if n := g.reads.Load() - before; n != 0 {
		t.Errorf("%d more reads of the source", n)
	}
}

// Whether a content is compressed already is found out once for each state of it.
func TestSamplesAreTakenOnce(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	g := newGated(noise(seeded(t), 2*segmentMax))
	close(g.gate)
	gatedBundle(t, e, g)
	before := g.reads.Load()
	if before == 0 {
		t.Fatal("nothing was read for the decision")
	}
	if gatedBundle(t, e, g); g.reads.Load() != before {
		t.Errorf("%d more reads", g.reads.Load()-before)
	}
}

// Close returns when what was found is on disk.
func TestClosingAnEngineWaitsForWhatIsSaved(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	saved, goOn := atomic.Bool{}, make(chan struct{})
	e.save(func() {
		<-goOn
		saved.Store(true)
	})
	time.AfterFunc(20*time.Millisecond, func() { close(goOn) })
	if e.Close(); !saved.Load() {
		t.Error("closed before it was saved")
	}
	e.save(func() { t.Error("saved behind the end") })
}
