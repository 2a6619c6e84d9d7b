package bundle

import (
	"slices"
	"sync"
)

// bufferSize is the size of a worker's buffers. It holds the largest segment, a whole
// chunk of a tree, and also the gzip member made of it: the slack covers block headers,
// the FEXTRA field and its padding.
const bufferSize = segmentMax + 8<<10

// buffers is the memory that getBuffer hands out again. A sync.Pool loses it with
// every collection, and the runtime gives it back to the system, for the heap is
// near its limit as long as the cache is full: the size pass of a tree of 1.5 GB took
// 7.1 s of the kernel's time, and 4.4 s with this.
var buffers bufferList

// idleBuffers is how much memory waits to be used again at most. It is not in the
// budget.
const idleBuffers = 8 << 20

type bufferList struct {
	mu   sync.Mutex // guards what follows
	idle [][]byte   // of length 0
	size int64      // their capacities
}

// get returns the smallest buffer with room for n bytes, unless that wastes
// more than a fifth of it.
func (l *bufferList) get(n int64) []byte {
	const step = 32 << 10
	most := n + max(n/4, step)
	l.mu.Lock()
	defer l.mu.Unlock()
	best := -1
	for i, b := range l.idle {
		if c := int64(cap(b)); c >= n && c <= most {
			best, most = i, c
		}
	}
	if best < 0 {
		return make([]byte, n, (n+step-1)/step*step)
	}
	b := l.idle[best]
	l.idle = slices.Delete(l.idle, best, best+1)
	l.size -= int64(cap(b))
	return b[:n]
}

// put takes back a buffer. Those that have waited for longest make room for it.
func (l *bufferList) put(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.idle = append(l.idle, b[:0])
	for l.size += int64(cap(b)); l.size > idleBuffers; l.idle = slices.Delete(l.idle, 0, 1) {
		l.size -= int64(cap(l.idle[0]))
	}
}

// smallBuffer is the size below which memory is not worth to be kept.
const smallBuffer = 32 << 10

// getBuffer returns memory for n bytes, with any content. A block is charged for
// all of its memory, so there is little more.
func getBuffer(n int64) []byte {
	if n < smallBuffer {
		return make([]byte, n)
	}
	return buffers.get(n)
}

// putBuffer takes back memory that is no longer used.
func putBuffer(b []byte) {
	if cap(b) >= smallBuffer {
		buffers.put(b)
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

// newScratches makes what n workers need before somebody waits for the first segment.
func newScratches(codec Codec, n int) *scratches {
	s := &scratches{codec: codec}
	for range n {
		s.put(s.make())
	}
	return s
}

func (s *scratches) make() *scratch {
	return &scratch{enc: newEncoder(s.codec), raw: make([]byte, bufferSize), made: make([]byte, bufferSize)}
}

func (s *scratches) get() *scratch {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.idle) - 1
	if last < 0 {
		return s.make()
	}
	sc := s.idle[last]
	s.idle = s.idle[:last]
	return sc
}

func (s *scratches) put(sc *scratch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, sc)
}
