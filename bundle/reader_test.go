package bundle

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"imgexportfs/bundle/blocks"
)

// counted is a blob of equal blocks that counts how often each is made.
type counted struct {
	salt    byte
	size    int64
	made    []atomic.Int64
	gate    chan struct{} // if not nil, making waits for it
	isQuick bool
}

func newCounted(salt byte, n int, size int64) *counted {
	return &counted{salt: salt, size: size, made: make([]atomic.Int64, n)}
}

func (c *counted) recipe(i int) blocks.Recipe {
	return blocks.Recipe{Key: blocks.Key{c.salt, byte(i), byte(i >> 8)}, Size: c.size, Make: func() ([]byte, error) {
		if c.gate != nil {
			<-c.gate
		}
		c.made[i].Add(1)
		return bytes.Repeat([]byte{byte(i)}, int(c.size))[:c.size:c.size], nil
	}}
}

func (c *counted) quick(int) bool { return c.isQuick }

func (c *counted) offsets(context.Context) ([]int64, error) {
	return startsOf(len(c.made), func(int) int64 { return c.size }), nil
}

func (c *counted) wrongLength(int, int64) error { return errors.New("wrong length") }

func TestTheWindowFollowsWhatHasBeenRead(t *testing.T) {
	const mib = 1 << 20
	starts := startsOf(400, func(int) int64 { return mib / 4 })
	for _, c := range []struct {
		name  string
		reads [][2]int64
		want  int
	}{
		{"the first bytes of the file", [][2]int64{{0, 16 << 10}}, 0},
		{"the first megabyte", [][2]int64{{0, mib}}, 8},
		{"far into a run", [][2]int64{{0, 10 * mib}, {10 * mib, 11 * mib}}, windowMax},
		{"reads that overtake each other", [][2]int64{{0, mib}, {mib, 2 * mib}, {3 * mib, 4 * mib}, {5 * mib, 6 * mib}, {2 * mib, 3 * mib}}, windowMax},
		{"a jump", [][2]int64{{0, 10 * mib}, {50 * mib, 50*mib + 4096}}, 0},
		{"one read in the middle", [][2]int64{{50 * mib, 50*mib + 4096}}, 0},
		{"one read near the start", [][2]int64{{3 * mib, 3*mib + 4096}}, 0},
		{"two neighbours by chance", [][2]int64{{50 * mib, 50*mib + 4096}, {50*mib + 4096, 50*mib + 8192}}, 0},
		{"reads here and there in a few megabytes", [][2]int64{{50 * mib, 50*mib + 4096}, {53 * mib, 53*mib + 4096}, {51 * mib, 51*mib + 4096}, {54 * mib, 54*mib + 4096}}, 0},
		{"forward after a jump", [][2]int64{{0, mib}, {50 * mib, 51 * mib}, {51 * mib, 52 * mib}}, 16},
	} {
		var r run
		for _, read := range c.reads {
			r.add(read[0], read[1])
		}
		if _, got := r.ahead(starts); got != c.want {
			t.Errorf("%s: a window of %d segments, want %d", c.name, got, c.want)
		}
	}
}

func TestSegmentsBehindASequentialReaderAreThereBeforeItAsks(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	for name, want := range map[string]bool{"forward": true, "jumping": false} {
		blob := newCounted(name[0], 100, 1<<20)
		r := e.newReader(blob)
		for _, i := range map[string][]int64{"forward": {0, 1, 2, 3}, "jumping": {50, 10, 90, 30}}[name] {
			if _, err := readAt(r, make([]byte, 1<<20), i<<20); err != nil {
				t.Fatal(err)
			}
		}
		r.Close()
		if got := r.upTo > 4; got != want {
			t.Errorf("%s: segments made ahead: up to %d", name, r.upTo)
		}
	}
}

func TestReadersShareTheBudgetForWhatIsMadeAhead(t *testing.T) {
	e := newEngine(t, EngineOptions{Memory: 64 << 20})
	blob := newCounted(1, 100, 1<<20)
	blob.gate = make(chan struct{})
	defer close(blob.gate)
	var readers []*Reader
	for range 16 {
		readers = append(readers, e.newReader(blob))
	}
	r := readers[0]
	r.makeAhead(0, 100, windowMax)
	if r.upTo != 2 { // a sixteenth of half of 64 MiB
		t.Errorf("%d segments of 1 MiB are made ahead of one of 16 readers", r.upTo)
	}
	for _, r := range readers {
		r.Close()
	}
}

func TestQuickBlocksMakeRoomOnceTheyAreRead(t *testing.T) {
	const size = 10_000
	for _, quick := range []bool{true, false} {
		e := newEngine(t, EngineOptions{})
		blob := newCounted(1, 20, size)
		blob.isQuick = quick
		r := e.newReader(blob)
		for off := int64(0); off < 20*size; off += size / 2 {
			if _, err := readAt(r, make([]byte, size/2), off); err != nil {
				t.Fatal(err)
			}
		}
		r.Close()
		want := map[bool]int64{true: 0, false: 20 * size}[quick]
		if used := e.Budget().Used(); used != want {
			t.Errorf("quick %v: %d bytes are kept, want %d", quick, used, want)
		}
		for i := range blob.made {
			if n := blob.made[i].Load(); n != 1 {
				t.Errorf("quick %v: block %d was made %d times", quick, i, n)
			}
		}
	}
}

func TestASliceHoldsItsBytesUntilItIsReleased(t *testing.T) {
	const size = 1000
	e := newEngine(t, EngineOptions{Memory: 1})
	r := e.newReader(newCounted(1, 10, size))
	defer r.Close()
	whole := make([]byte, 10*size)
	if n, err := readAt(r, whole, 0); err != nil || n != 10*size {
		t.Fatal(n, err)
	}
	for _, c := range []struct {
		off, n int
		held   int // blocks; 0: the bytes are copied
		pieces int
	}{
		{0, size, 1, 1}, {100, 200, 1, 1}, {size, size, 1, 1},
		{900, 200, 2, 2}, {0, 2 * size, 2, 2}, {size + 1, 2*size - 1, 2, 2},
		{999, size + 2, 0, 1}, {0, 3 * size, 0, 1}, {9*size + 500, 5 * size, 1, 1}, {10 * size, 5, 0, 0}, {11 * size, 5, 0, 0},
	} {
		slice, err := r.Read(t.Context(), make([]byte, c.n), int64(c.off))
		if err != nil || len(slice.Pieces) != c.pieces || len(slice.held) != c.held {
			t.Fatalf("%d bytes at %d: %+v, %v", c.n, c.off, slice, err)
		}
		if want := whole[min(c.off, len(whole)):min(c.off+c.n, len(whole))]; !bytes.Equal(slices.Concat(slice.Pieces...), want) || slice.Len() != len(want) {
			t.Errorf("%d bytes at %d are not those that were read", c.n, c.off)
		}
		if used := e.Budget().Used(); used < int64(c.held*size) {
			t.Errorf("%d bytes at %d: only %d bytes are held", c.n, c.off, used)
		}
		slice.Release()
		if used := e.Budget().Used(); used > 1 {
			t.Errorf("%d bytes at %d: %d bytes are held for ever", c.n, c.off, used)
		}
	}
}
