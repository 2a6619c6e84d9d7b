package bundle

import (
	"encoding/binary"
	"errors"
	"io"
)

// Written reports whether the size bytes of r are this bundle, as far as the headers
// say: the first holds the bundle's plan, and every segment is there in its whole
// length. What is between the headers is not read, so damage inside a segment is not
// found, and no size has to be known. The error is that of r.
func (b *Bundle) Written(r io.ReaderAt, size int64) (bool, error) {
	var off int64
	for i, seg := range b.segs {
		deflated, ok, err := b.header(r, i, off)
		if !ok || err != nil {
			return false, err
		}
		off += gzipHeader + memberExtra(b.planOf(i)) + deflated + gzipTrailer
		var length [4]byte // the end of the trailer
		if ok, err = readFull(r, length[:], off-int64(len(length))); !ok || err != nil {
			return false, err
		}
		if binary.LittleEndian.Uint32(length[:]) != uint32(seg.size()) {
			return false, nil
		}
	}
	return off == size, nil
}

// header returns the length of the deflate data behind the header at off, and whether
// that is the header of segment i.
func (b *Bundle) header(r io.ReaderAt, i int, off int64) (deflated int64, ok bool, err error) {
	want := appendHeader(nil, b.planOf(i), 0)
	got := make([]byte, len(want))
	if ok, err := readFull(r, got, off); !ok || err != nil {
		return 0, false, err
	}
	const at = gzipHeader + extraLength + 4 // behind the head of the subfield MZ
	deflated = int64(binary.LittleEndian.Uint32(got[at:]))
	clear(got[at : at+lengthPayload])
	return deflated, string(got) == string(want), nil
}

// readFull reports whether r has all of buf at off.
func readFull(r io.ReaderAt, buf []byte, off int64) (bool, error) {
	_, err := r.ReadAt(buf, off)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}
