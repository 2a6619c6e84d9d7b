package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"imgexportfs/bundle/source"
)

// fieldHash hashes values in such a way that no list of values can be taken
// for another: numbers have a fixed width, and strings begin with their length.
type fieldHash struct {
	h   hash.Hash
	n   int       // bytes of buf that are not hashed yet
	buf [512]byte // a tree is hashed in a million fields of a few bytes
}

func newFieldHash(what string) *fieldHash {
	f := &fieldHash{h: sha256.New()}
	f.string(what)
	return f
}

func (f *fieldHash) int(v int64) {
	if f.n+8 > len(f.buf) {
		f.flush()
	}
	binary.LittleEndian.PutUint64(f.buf[f.n:], uint64(v))
	f.n += 8
}

func (f *fieldHash) bytes(b []byte) {
	f.int(int64(len(b)))
	hashAll(f, b)
}

func (f *fieldHash) string(v string) {
	f.int(int64(len(v)))
	hashAll(f, v)
}

func hashAll[T string | []byte](f *fieldHash, v T) {
	for len(v) > 0 {
		if f.n == len(f.buf) {
			f.flush()
		}
		n := copy(f.buf[f.n:], v)
		v, f.n = v[n:], f.n+n
	}
}

func (f *fieldHash) flush() {
	_, _ = f.h.Write(f.buf[:f.n])
	f.n = 0
}

func (f *fieldHash) identity(id source.Identity) {
	f.int(int64(id.Ino))
	f.int(id.Size)
	f.int(id.MtimeNs)
	f.int(id.CtimeNs)
}

func (f *fieldHash) sum() (sum [sha256.Size]byte) {
	f.flush()
	f.h.Sum(sum[:0])
	return sum
}
