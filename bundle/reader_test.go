package bundle

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

func TestTheWindowFollowsWhatHasBeenRead(t *testing.T) {
	const mib = 1 << 20
	starts := make([]int64, 401) // segments of 256 KiB
	for i := range starts {
		starts[i] = int64(i) * mib / 4
	}
	for _, c := range []struct {
		name  string
		reads [][2]int64
		want  int
	}{
		{"the first bytes of the file", [][2]int64{{0, 16 << 10}}, 0},
		{"the first megabyte", [][2]int64{{0, mib}}, 2},
		{"the second read from the start", [][2]int64{{0, mib}, {mib, 2 * mib}}, 8},
		{"far into a run", [][2]int64{{0, 10 * mib}, {10 * mib, 11 * mib}}, windowMax},
		{"reads that overtake each other", [][2]int64{{0, mib}, {mib, 2 * mib}, {3 * mib, 4 * mib}, {5 * mib, 6 * mib}, {2 * mib, 3 * mib}}, 16},
		{"a jump", [][2]int64{{0, 10 * mib}, {50 * mib, 51 * mib}}, 0},
		{"two neighbours by chance", [][2]int64{{50 * mib, 50*mib + 4096}, {50*mib + 4096, 50*mib + 8192}}, 0},
		{"forward after a jump", [][2]int64{{50 * mib, 51 * mib}, {51 * mib, 52 * mib}}, 8},
	} {
		var r Reader
		got := 0
		for _, read := range c.reads {
			got = r.window(starts, read[0], read[1])
		}
		if got != c.want {
			t.Errorf("%s: a window of %d segments, want %d", c.name, got, c.want)
		}
	}
}

func TestReadersShareTheBudgetForWhatIsMadeAhead(t *testing.T) {
	e := newEngine(t, EngineOptions{Memory: 64 << 20})
	c := newCounted(1, 100, 1<<20)
	c.gate = make(chan struct{})
	defer close(c.gate)
	var readers []*Reader
	for range 16 {
		readers = append(readers, e.newReader(c))
	}
	r := readers[0]
	r.mu.Lock()
	r.makeAhead(0, 100, windowMax)
	r.mu.Unlock()
	if r.upTo != 2 { // a sixteenth of half of 64 MiB
		t.Errorf("%d segments of 1 MiB are made ahead of one of 16 readers", r.upTo)
	}
	for _, r := range readers {
		r.Close()
	}
}

func TestAViewHoldsItsBlocksUntilItIsDone(t *testing.T) {
	const size = 1000
	e := newEngine(t, EngineOptions{})
	r := e.newReader(newCounted(1, 10, size))
	defer r.Close()
	whole := make([]byte, 4*size)
	if _, err := r.ReadAt(t.Context(), whole, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		off, n int
		pieces int // 0: the bytes lie in too many blocks
	}{
		{0, size, 1}, {100, 200, 1}, {size, size, 1},
		{900, 200, 2}, {0, 2 * size, 2}, {size + 1, 2*size - 1, 2},
		{999, size + 2, 0}, {0, 3 * size, 0},
	} {
		pieces, done, err := r.View(t.Context(), c.n, int64(c.off))
		if err != nil || len(pieces) != c.pieces {
			t.Fatalf("%d bytes at %d: %d pieces, %v", c.n, c.off, len(pieces), err)
		}
		if c.pieces == 0 {
			continue
		}
		if got := slices.Concat(pieces...); !bytes.Equal(got, whole[c.off:c.off+c.n]) {
			t.Errorf("%d bytes at %d are not those that were read", c.n, c.off)
		}
		if n := e.cache.inUse(); n < c.pieces {
			t.Errorf("%d bytes at %d: %d blocks are held", c.n, c.off, n)
		}
		done()
		for deadline := time.Now().Add(5 * time.Second); e.cache.inUse() > 0; time.Sleep(time.Millisecond) { // blocks may be made ahead
			if time.Now().After(deadline) {
				t.Fatalf("%d bytes at %d: %d blocks are held for ever", c.n, c.off, e.cache.inUse())
			}
		}
	}
}
