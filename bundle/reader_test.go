package bundle

import "testing"

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
