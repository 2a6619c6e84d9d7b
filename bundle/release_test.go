package bundle

import (
	"context"
	"errors"
	"testing"

	"imgexportfs/bundle/blocks"
)

// fickle is a blob of equal blocks of which one cannot be had.
type fickle struct {
	*counted
	bad   int
	fails error // of the bad block; nil: it is longer than it should be
}

func (f fickle) recipe(i int) blocks.Recipe {
	r := f.counted.recipe(i)
	if i != f.bad {
		return r
	}
	r.Make = func() ([]byte, error) {
		if f.fails != nil {
			return nil, f.fails
		}
		return make([]byte, f.size+1), nil
	}
	return r
}

// A block that a reader keeps can never be dropped.
func TestAReadThatFailsKeepsNothing(t *testing.T) {
	const size = 1000
	broken := errors.New("broken")
	for _, fails := range []error{broken, nil} {
		e := newEngine(t, EngineOptions{Memory: 1})
		r := e.newReader(fickle{newCounted(1, 4, size), 1, fails})
		if _, err := r.Read(t.Context(), make([]byte, 2*size), 0); err == nil {
			t.Fatal("no error")
		}
		r.Close()
		e.Close()
		if used := e.Budget().Used(); used > 1 {
			t.Errorf("fails with %v: %d bytes are held for ever", fails, used)
		}
	}
}

// A reader that is gone leaves its share to others.
func TestReadersThatAreClosedDoNotCount(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	for range 3 {
		e.newReader(newCounted(1, 1, 1000)).Close()
	}
	open := e.newReader(newCounted(1, 1, 1000))
	if n := e.Stats().Readers; n != 1 {
		t.Errorf("%d readers are open", n)
	}
	open.Close()
}

func TestProgressIsWhatIsWritten(t *testing.T) {
	b := newBundle(t, newEngine(t, EngineOptions{}), "foo", bytesMember(t, "a", prose(seeded(t), 5*segmentMax)))
	var told []int64
	if err := b.WriteTo(context.Background(), discard{}, func(done int64) { told = append(told, done) }); err != nil {
		t.Fatal(err)
	}
	if len(told) != len(b.segs) {
		t.Fatalf("told %d times of %d segments", len(told), len(b.segs))
	}
	for i, seg := range b.segs {
		if told[i] != seg.end {
			t.Errorf("behind segment %d: %d, want %d", i, told[i], seg.end)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
