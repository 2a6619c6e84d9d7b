// Package index remembers what could only be found out by reading sources: how
// long deflated segments are, which contents are better stored, and the hashes
// of whole bundles. All of it is cached in memory, and what took long to find
// in a directory as well; all of it may be lost at any time.
//
//	Index ─ dir ─ file (NAME.index: the lengths and hashes of one image)
package index

import (
	"maps"
	"sync"

	"imgexportfs/bundle/blocks"
)

// memoryMax is how many entries of a kind are kept in memory, about 100 bytes
// each.
const memoryMax = 1 << 16

// Index is safe for use by several goroutines.
type Index struct {
	dir *dir // nil: memory only

	saving  sync.Mutex // held while a file is written, so that the last one knows most
	mu      sync.Mutex // guards what follows
	lengths map[blocks.Key]uint32
	stored  map[blocks.Key]bool
	sums    map[blocks.Key][32]byte
}

// Open returns an index that keeps files in the directory path; "" keeps all in
// memory only. warn is told once if the directory cannot be used.
func Open(path string, warn func(error)) *Index {
	return &Index{
		dir:     openDir(path, warn),
		lengths: map[blocks.Key]uint32{}, stored: map[blocks.Key]bool{}, sums: map[blocks.Key][32]byte{},
	}
}

// Length returns how long the segment of k is in bytes.
func (x *Index) Length(k blocks.Key) (n int64, ok bool) {
	v, ok := recall(x, x.lengths, k)
	return int64(v), ok
}

// PutLength remembers how long the segment of k is.
func (x *Index) PutLength(k blocks.Key, n int64) { remember(x, x.lengths, k, uint32(n)) }

// IsStored returns whether the content of k is better stored.
func (x *Index) IsStored(k blocks.Key) (stored, ok bool) { return recall(x, x.stored, k) }

// PutStored remembers whether the content of k is better stored.
func (x *Index) PutStored(k blocks.Key, stored bool) { remember(x, x.stored, k, stored) }

// Sum returns the SHA-256 of the bundle of k.
func (x *Index) Sum(k blocks.Key) (sum [32]byte, ok bool) { return recall(x, x.sums, k) }

// PutSum remembers the SHA-256 of the bundle of k.
func (x *Index) PutSum(k blocks.Key, sum [32]byte) { remember(x, x.sums, k, sum) }

func recall[V any](x *Index, m map[blocks.Key]V, k blocks.Key) (v V, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	v, ok = m[k]
	return v, ok
}

// remember adds to a map that must not grow without bounds. Most of what is
// thrown away belongs to versions long gone; the rest is in files or found again.
func remember[V any](x *Index, m map[blocks.Key]V, k blocks.Key, v V) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(m) >= memoryMax {
		clear(m)
	}
	m[k] = v
}

// Load takes what the file called name holds into memory.
func (x *Index) Load(name blocks.Key) {
	f := x.dir.read(name)
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.Copy(x.lengths, f.lengths)
	maps.Copy(x.sums, f.sums)
}

// Save writes what is known of the given segments, and of the bundle called
// whole, to the file called name, if that is worth a file. No lock may be held
// that a reader waits for.
func (x *Index) Save(name, whole blocks.Key, segments []blocks.Key) {
	x.saving.Lock()
	defer x.saving.Unlock()
	f := file{lengths: map[blocks.Key]uint32{}, sums: map[blocks.Key][32]byte{}}
	for _, k := range segments {
		if n, ok := x.Length(k); ok {
			f.lengths[k] = uint32(n)
		}
	}
	if sum, ok := x.Sum(whole); ok {
		f.sums[whole] = sum
	}
	if len(f.lengths) >= saveMin || len(f.sums) > 0 {
		x.dir.write(name, f)
	}
}

// saveMin is the number of deflated segments from which a bundle's lengths
// are worth a file.
const saveMin = 4

// Distrust forgets the length of k, which has proved to be wrong, and the file
// called name, from which it may have come.
func (x *Index) Distrust(name, k blocks.Key) {
	x.mu.Lock()
	delete(x.lengths, k)
	x.mu.Unlock()
	x.dir.remove(name)
}
