package bundle

import (
	"encoding/binary"
	"io"
)

// Written reports whether the size bytes of r are this bundle, as far as the headers
// say: the first holds the bundle's plan, and every segment is there in its whole
// length. What is between the headers is not read, so damage inside a segment is not
// found, and no size has to be known. What cannot be read is not the bundle.
func (b *Bundle) Written(r io.ReaderAt, size int64) bool {
	var off int64
	for i, seg := range b.segs {
		deflated, ok := b.deflatedAt(r, i, off)
		if !ok {
			return false
		}
		off += gzipHeader + memberExtra(b.planOf(i)) + deflated + gzipTrailer
		var length [4]byte // the end of the trailer
		if _, err := r.ReadAt(length[:], off-int64(len(length))); err != nil {
			return false
		}
		if binary.LittleEndian.Uint32(length[:]) != uint32(seg.size()) {
			return false
		}
	}
	return off == size
}

// deflatedAt returns the length of the deflate data behind the header at off, and
// whether that is the header of segment i.
func (b *Bundle) deflatedAt(r io.ReaderAt, i int, off int64) (n int64, ok bool) {
	want := appendHeader(nil, b.planOf(i), 0)
	got := make([]byte, len(want))
	if _, err := r.ReadAt(got, off); err != nil {
		return 0, false
	}
	const at = gzipHeader + extraLength + 4 // behind the head of the subfield MZ
	n = int64(binary.LittleEndian.Uint32(got[at:]))
	clear(got[at : at+lengthPayload])
	return n, string(got) == string(want)
}
