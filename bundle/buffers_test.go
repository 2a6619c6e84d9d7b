package bundle

import "testing"

func TestIdleBuffersHaveABound(t *testing.T) {
	var l bufferList
	for range 100 {
		l.put(make([]byte, 0, 1<<20))
		total := 0
		for _, b := range l.idle {
			total += cap(b)
		}
		if total > idleBuffers || int64(total) != l.size {
			t.Fatalf("%d bytes wait, counted as %d, and may be %d", total, l.size, idleBuffers)
		}
	}
	for len(l.idle) > 0 {
		if b := l.get(1 << 20); cap(b) != 1<<20 || len(b) != 1<<20 {
			t.Fatalf("a buffer of %d of %d bytes", len(b), cap(b))
		}
	}
	if l.size != 0 {
		t.Errorf("nothing waits, counted as %d bytes", l.size)
	}
}

func TestNamesAreAsLongAsFileNamesCanBe(t *testing.T) {
	long := make([]byte, 256)
	for i := range long {
		long[i] = 'n'
	}
	for n, ok := range map[int]bool{255: true, 256: false} {
		for _, name := range []string{string(long[:n]), "a/" + string(long[:n]), string(long[:n]) + "/b"} {
			if err := checkName(name); (err == nil) != ok {
				t.Errorf("a part of %d bytes in %d: %v", n, len(name), err)
			}
		}
	}
}

func TestBytesEndWhereTheyEnd(t *testing.T) {
	b := Bytes("0123456789")
	for _, c := range []struct {
		off int64
		n   int
		ok  bool
	}{{0, 10, true}, {10, 0, true}, {9, 1, true}, {0, 11, false}, {9, 2, false}, {11, 0, false}, {-1, 1, false}} {
		if n, err := b.ReadAt(make([]byte, c.n), c.off); (err == nil) != c.ok || c.ok && n != c.n {
			t.Errorf("%d bytes at %d: %d, %v", c.n, c.off, n, err)
		}
	}
}
