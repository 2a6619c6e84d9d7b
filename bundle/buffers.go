package bundle

import "sync"

// bufferSize holds the largest segment, a whole chunk of a tree, and also the
// gzip member made of it: the slack covers block headers, the FEXTRA field
// and its padding.
const bufferSize = segmentMax + 8<<10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

// getRaw returns a buffer of bufferSize bytes with any content.
func getRaw() []byte { return *buffers.Get().(*[]byte) }

// putRaw takes back a buffer of getRaw, however it was sliced at its end.
func putRaw(b []byte) {
	b = b[:bufferSize]
	buffers.Put(&b)
}
