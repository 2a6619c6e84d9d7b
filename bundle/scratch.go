package bundle

import "sync"

// bufferSize holds the largest segment, a whole chunk of a tree, and also the
// gzip member made of it: the slack covers block headers, the FEXTRA field
// and its padding.
const bufferSize = segmentMax + 8<<10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

// getBuffer returns memory for n bytes, which are at most bufferSize, with any
// content. A block is charged for all of its memory, so a small one gets no
// more than it needs.
func getBuffer(n int64) []byte {
	if n <= bufferSize/2 {
		return make([]byte, n)
	}
	return (*buffers.Get().(*[]byte))[:n]
}

// putBuffer takes back memory of getBuffer, however it was sliced at its end.
func putBuffer(b []byte) {
	if cap(b) == bufferSize {
		b = b[:bufferSize]
		buffers.Put(&b)
	}
}

// scratch is what the making of one segment needs and cannot share.
type scratch struct {
	enc  *encoder
	raw  []byte // bufferSize bytes
	made []byte // as much again
}

// scratches keeps as many as are in use at a time: about one for each worker.
// A sync.Pool would have the garbage collector throw encoders away.
type scratches struct {
	codec Codec
	mu    sync.Mutex // guards idle
	idle  []*scratch
}

func (s *scratches) get() *scratch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.idle) - 1; last >= 0 {
		sc := s.idle[last]
		s.idle = s.idle[:last]
		return sc
	}
	return &scratch{enc: newEncoder(s.codec), raw: make([]byte, bufferSize), made: make([]byte, bufferSize)}
}

func (s *scratches) put(sc *scratch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, sc)
}
