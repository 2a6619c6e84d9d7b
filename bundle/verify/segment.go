package verify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// A stored block of deflate (RFC 1951, section 3.2.4).
const (
	storedBlockMax  = 65535
	storedBlockHead = 5
)

var (
	errChecksum = errors.New("the checksum of the gzip member is wrong")
	errLength   = errors.New("the length of the gzip member is wrong")
	errPadding  = errors.New("a block of the gzip member has bits that it should not have")
)

// segment is one gzip member in the making. It is used again for others.
type segment struct {
	offset  int64  // in the file
	end     int64  // in the file
	packed  []byte // deflate data and trailer
	data    []byte // unpacked
	err     error
	done    chan struct{} // of capacity 1; gets a token when data and err are there
	inflate io.ReadCloser // is a flate.Resetter too; nil until it is needed
	reader  bytes.Reader
}

// unpack unpacks the segment and checks its length and checksum.
func (s *segment) unpack() error {
	end := len(s.packed) - trailer
	crc, size := binary.LittleEndian.Uint32(s.packed[end:]), binary.LittleEndian.Uint32(s.packed[end+4:])
	if size == 0 || size > segmentMax {
		return errLength
	}
	s.data = resized(s.data, int(size))
	stored, err := unpackStored(s.data, s.packed[:end])
	if !stored {
		err = s.unpackDeflated(s.packed[:end])
	}
	if err == nil && crc32.ChecksumIEEE(s.data) != crc {
		err = errChecksum
	}
	return err
}

func (s *segment) unpackDeflated(deflated []byte) error {
	s.reader.Reset(deflated)
	if s.inflate == nil {
		s.inflate = flate.NewReader(&s.reader)
	}
	if err := s.inflate.(flate.Resetter).Reset(&s.reader, nil); err != nil {
		return err
	}
	if _, err := io.ReadFull(s.inflate, s.data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errLength
		}
		return err
	}
	var more [1]byte
	n, err := io.ReadFull(s.inflate, more[:])
	switch {
	case n > 0 || err == nil || s.reader.Len() > 0:
		return errLength
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// unpackStored copies data that consists of stored blocks alone, or reports that it does
// not. It is several times as fast as inflating, and most of a stateless image is stored.
func unpackStored(dst, deflated []byte) (stored bool, err error) {
	done := 0
	for {
		if len(deflated) < storedBlockHead || deflated[0]&6 != 0 {
			return false, nil
		}
		n := int(binary.LittleEndian.Uint16(deflated[1:]))
		if n != int(^binary.LittleEndian.Uint16(deflated[3:])) || len(deflated) < storedBlockHead+n {
			return false, nil
		}
		if deflated[0] > 1 {
			err = errPadding
		}
		final := deflated[0]&1 != 0
		if n > len(dst)-done {
			return true, errLength
		}
		done += copy(dst[done:], deflated[storedBlockHead:storedBlockHead+n])
		deflated = deflated[storedBlockHead+n:]
		if final {
			if done != len(dst) || len(deflated) > 0 {
				err = errLength
			}
			return true, err
		}
	}
}

// resized returns b with n bytes, in the same memory if it has room.
func resized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
