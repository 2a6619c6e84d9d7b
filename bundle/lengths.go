package bundle

import "sync"

// lengthsMax bounds the lengths that are kept: 64 bytes each.
const lengthsMax = 1 << 18

// lengths remembers how long deflated segments came out, for that cannot be
// known without deflating them.
type lengths struct {
	mu sync.Mutex
	m  map[key]uint32
}

func newLengths() *lengths { return &lengths{m: map[key]uint32{}} }

func (l *lengths) get(k key) (n int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.m[k]
	return int64(v), ok
}

func (l *lengths) put(k key, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.m) >= lengthsMax {
		clear(l.m) // of versions long gone, most of them
	}
	l.m[k] = uint32(n)
}

func (l *lengths) forget(k key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.m, k)
}

// decisions remembers which large files are better stored, so that their
// samples are not read again for every new version.
type decisions struct {
	mu sync.Mutex
	m  map[key]bool
}

func newDecisions() *decisions { return &decisions{m: map[key]bool{}} }

func (d *decisions) get(k key) (stored, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	stored, ok = d.m[k]
	return stored, ok
}

func (d *decisions) put(k key, stored bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.m) >= lengthsMax {
		clear(d.m)
	}
	d.m[k] = stored
}
