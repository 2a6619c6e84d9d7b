package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"imgexportfs/bundle/source"
)

// stamper hashes values without any way to take one for another: numbers
// have a fixed width, strings bear their length.
type stamper struct {
	h   hash.Hash
	n   int       // bytes of buf that are not hashed yet
	buf [512]byte // a tree is stamped in a million pieces of a few bytes
}

func newStamper(what string) *stamper {
	s := &stamper{h: sha256.New()}
	s.string(what)
	return s
}

func (s *stamper) int(v int64) {
	if s.n+8 > len(s.buf) {
		s.flush()
	}
	binary.LittleEndian.PutUint64(s.buf[s.n:], uint64(v))
	s.n += 8
}

func (s *stamper) bytes(b []byte) {
	s.int(int64(len(b)))
	stampAll(s, b)
}

func (s *stamper) string(v string) {
	s.int(int64(len(v)))
	stampAll(s, v)
}

func stampAll[T string | []byte](s *stamper, v T) {
	for len(v) > 0 {
		if s.n == len(s.buf) {
			s.flush()
		}
		n := copy(s.buf[s.n:], v)
		v, s.n = v[n:], s.n+n
	}
}

func (s *stamper) flush() {
	_, _ = s.h.Write(s.buf[:s.n])
	s.n = 0
}

func (s *stamper) identity(id source.Identity) {
	s.int(int64(id.Ino))
	s.int(id.Size)
	s.int(id.MtimeNs)
	s.int(id.CtimeNs)
}

func (s *stamper) sum() (sum [sha256.Size]byte) {
	s.flush()
	s.h.Sum(sum[:0])
	return sum
}
