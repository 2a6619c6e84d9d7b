package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// stamper hashes values without any way to take one for another: numbers
// have a fixed width, strings bear their length.
type stamper struct {
	h   hash.Hash
	buf [8]byte
}

func newStamper(what string) *stamper {
	s := &stamper{h: sha256.New()}
	s.string(what)
	return s
}

func (s *stamper) int(v int64) {
	binary.LittleEndian.PutUint64(s.buf[:], uint64(v))
	_, _ = s.h.Write(s.buf[:])
}

func (s *stamper) bytes(b []byte) {
	s.int(int64(len(b)))
	_, _ = s.h.Write(b)
}

func (s *stamper) string(v string) { s.bytes([]byte(v)) }

func (s *stamper) identity(id Identity) {
	s.int(int64(id.Ino))
	s.int(id.Size)
	s.int(id.MtimeNs)
	s.int(id.CtimeNs)
}

func (s *stamper) sum() (sum [sha256.Size]byte) {
	s.h.Sum(sum[:0])
	return sum
}
