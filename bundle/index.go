package bundle

import (
	"maps"
	"sync"
)

// knownMax bounds what an index keeps in memory, about 100 bytes each.
const knownMax = 1 << 18

// index remembers what could only be found out by reading sources: how long
// deflated segments came out, which contents are better stored, and the
// hashes of whole bundles. What took long to find is written to the shelf as
// well, if there is one.
//
// It is safe for use by several goroutines.
type index struct {
	shelf *shelf // nil: memory only

	mu      sync.Mutex // guards what follows
	lengths map[key]uint32
	stored  map[key]bool
	sums    map[key][32]byte
}

func newIndex(s *shelf) *index {
	return &index{shelf: s, lengths: map[key]uint32{}, stored: map[key]bool{}, sums: map[key][32]byte{}}
}

// length returns how long the segment of k comes out.
func (x *index) length(k key) (n int64, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	v, ok := x.lengths[k]
	return int64(v), ok
}

func (x *index) putLength(k key, n int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	remember(x.lengths, k, uint32(n))
}

// isStored returns whether the content of k is better stored.
func (x *index) isStored(k key) (stored, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	stored, ok = x.stored[k]
	return stored, ok
}

func (x *index) putStored(k key, stored bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	remember(x.stored, k, stored)
}

// sum returns the hash of the bundle of k.
func (x *index) sum(k key) (sum [32]byte, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sum, ok = x.sums[k]
	return sum, ok
}

func (x *index) putSum(k key, sum [32]byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	remember(x.sums, k, sum)
}

// remember adds to a map that must not grow without bounds. What is thrown
// away belongs to versions long gone, most of it; the rest is found again.
func remember[V any](m map[key]V, k key, v V) {
	if len(m) >= knownMax {
		clear(m)
	}
	m[k] = v
}

// recall takes from the shelf what is known there of a volume.
func (x *index) recall(name key) {
	v := x.shelf.read(name)
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.Copy(x.lengths, v.lengths)
	maps.Copy(x.sums, v.sums)
}

// save puts a volume on the shelf.
func (x *index) save(name key, v volume) { x.shelf.write(name, v) }

// distrust forgets a length that has proved to be wrong, here and on the
// shelf.
func (x *index) distrust(name, k key) {
	x.mu.Lock()
	delete(x.lengths, k)
	x.mu.Unlock()
	x.shelf.remove(name)
}
