package bundle

import "testing"

func TestACourseJoinsReadsThatArriveInAnyOrder(t *testing.T) {
	r := seeded(t)
	const size = 1 << 20
	var c course
	reads := make([]int64, 200)
	for i := range reads {
		reads[i] = int64(i) * size
	}
	for i := 0; i < len(reads); i += 5 { // five are under way at a time
		r.Shuffle(5, func(a, b int) { reads[i+a], reads[i+b] = reads[i+b], reads[i+a] })
	}
	for i, off := range reads {
		if !c.add(off, off+size) {
			t.Fatalf("read %d, at %d, is taken for a jump", i, off)
		}
	}
	if c.from != 0 || c.to != 200*size || len(c.early) != 0 {
		t.Errorf("after all reads the run is %d to %d, with %d early ones", c.from, c.to, len(c.early))
	}
}

func TestACourseEndsWhereAReadIsFarAway(t *testing.T) {
	for name, off := range map[string]int64{"ahead": 100 << 20, "behind": 0, "just before": 38<<20 - 1} {
		c := course{from: 38 << 20, to: 40 << 20}
		if c.add(off, off+4096) {
			t.Errorf("%s: a read at %d belongs to the run from %d to %d", name, off, 38<<20, 40<<20)
		}
		if c.from != off || c.to != off+4096 {
			t.Errorf("%s: the new run is %d to %d", name, c.from, c.to)
		}
	}
}

func TestTheFrontIsBehindEarlyReads(t *testing.T) {
	c := course{to: 1000}
	c.add(2000, 3000)
	if c.to != 1000 || c.front() != 3000 {
		t.Errorf("run to %d, front %d", c.to, c.front())
	}
	c.add(1000, 2000)
	if c.to != 3000 || c.front() != 3000 {
		t.Errorf("with the gap closed: run to %d, front %d", c.to, c.front())
	}
}
