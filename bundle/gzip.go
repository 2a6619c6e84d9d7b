package bundle

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/klauspost/compress/flate"
)

// Subfields of the FEXTRA field (RFC 1952, section 2.3.1.1).
var (
	// subfieldLength holds the length of the member's deflate data, as
	// in the MiGz format, so a reader can find the next member unread.
	subfieldLength = [2]byte{'M', 'Z'}
	// subfieldPlan holds what the bundle was planned from, and padding.
	subfieldPlan = [2]byte{'I', 'X'}
)

const lengthPayload = 4

// encoder turns segments into gzip members. It is not for concurrent use.
type encoder struct {
	codec Codec
	w     *flate.Writer
	out   sliceWriter
}

// sliceWriter appends to a slice and drops what goes beyond its capacity: deflated
// data that fills it is no shorter than stored data, and is not used.
type sliceWriter struct{ b []byte }

func (s *sliceWriter) Write(p []byte) (int, error) {
	s.b = append(s.b, p[:min(len(p), cap(s.b)-len(s.b))]...)
	return len(p), nil
}

func newEncoder(c Codec) *encoder {
	w, err := flate.NewWriter(nil, c.Level)
	if err != nil {
		panic("BUG: " + err.Error()) // Codec.checked allows no such level
	}
	return &encoder{codec: c, w: w}
}

// memberMax is the most bytes that a gzip member of n bytes takes, and exactly
// what it takes if it is stored.
func memberMax(n int64, plan []byte) int64 {
	return gzipSize(memberExtra(plan), storedSize(n))
}

// memberExtra is the size of the FEXTRA field of a segment's member; only
// the first segment of a bundle has a plan.
func memberExtra(plan []byte) int64 {
	if plan == nil {
		return extraSize(lengthPayload)
	}
	return extraSize(lengthPayload, len(plan))
}

// appendMember appends raw as a gzip member to dst, which has room for
// memberMax bytes. Data that deflating does not make shorter is stored. The
// result depends on nothing but the arguments and the codec.
func (e *encoder) appendMember(dst, raw, plan []byte) []byte {
	if e.codec.Compression != Store {
		data := int(gzipHeader + memberExtra(plan)) // where the deflate data starts
		if deflated, ok := e.deflate(dst, raw, plan, data); ok {
			return appendTrailer(deflated, crc32.ChecksumIEEE(raw), len(raw))
		}
	}
	return appendStoredMember(dst, raw, plan)
}

// appendStoredMember appends raw as a gzip member that is stored. raw may be
// memory behind dst, as storedMember reads it.
func appendStoredMember(dst, raw, plan []byte) []byte {
	crc := crc32.ChecksumIEEE(raw)
	dst = appendHeader(dst, plan, uint32(storedSize(int64(len(raw)))))
	dst = appendStored(dst, raw)
	return appendTrailer(dst, crc, len(raw))
}

// deflate appends header and deflated data, or reports that this would not
// be shorter than storing.
func (e *encoder) deflate(dst, raw, plan []byte, data int) ([]byte, bool) {
	base := len(dst)
	limit := base + data + int(storedSize(int64(len(raw))))
	e.out = sliceWriter{b: dst[: base+data : limit]}
	e.w.Reset(&e.out)
	_, werr := e.w.Write(raw)
	if cerr := e.w.Close(); werr != nil || cerr != nil || len(e.out.b) >= limit {
		return dst, false
	}
	end := len(e.out.b)
	appendHeader(dst[:base], plan, uint32(end-base-data))
	return dst[:end], true
}

// appendHeader appends the gzip header of a segment: no time, no name, and
// the length of the deflate data that follows.
func appendHeader(dst, plan []byte, deflated uint32) []byte {
	dst = append(dst, 0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(memberExtra(plan)-extraLength))
	dst = append(dst, subfieldLength[:]...)
	dst = binary.LittleEndian.AppendUint16(dst, lengthPayload)
	dst = binary.LittleEndian.AppendUint32(dst, deflated)
	if plan != nil {
		dst = append(dst, subfieldPlan[:]...)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(len(plan)))
		dst = append(dst, plan...)
	}
	return dst
}

// appendStored appends raw as stored deflate blocks.
func appendStored(dst, raw []byte) []byte {
	for {
		n := min(len(raw), storedMax)
		final := byte(0)
		if n == len(raw) {
			final = 1
		}
		dst = append(dst, final, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
		dst = append(dst, raw[:n]...)
		if raw = raw[n:]; len(raw) == 0 {
			return dst
		}
	}
}

func appendTrailer(dst []byte, crc uint32, n int) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, crc)
	return binary.LittleEndian.AppendUint32(dst, uint32(n))
}

// plainMemberSize is the length of a gzip member with stored data and no
// subfields, of which rootimgtree.gz consists.
func plainMemberSize(n int64) int64 { return gzipSize(0, storedSize(n)) }

// appendPlainMember appends raw as such a member. raw may be memory behind dst,
// as storedMember reads it.
func appendPlainMember(dst, raw []byte) []byte {
	crc := crc32.ChecksumIEEE(raw)
	dst = append(dst, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
	dst = appendStored(dst, raw)
	return appendTrailer(dst, crc, len(raw))
}

// storedMember makes the gzip member of size bytes, which stores a segment, in
// memory of getBuffer. The segment is read to the end of that memory, and
// appendTo moves it by a few bytes to make room for the headers of its blocks:
// so it takes no second buffer.
func storedMember(s *stream, seg segment, size int64, appendTo func(dst, raw []byte) []byte) ([]byte, error) {
	buf := getBuffer(size)
	if err := storeInto(buf, s, seg, appendTo); err != nil {
		putBuffer(buf)
		return nil, err
	}
	return buf, nil
}

// storeInto is storedMember for memory of the member's size.
func storeInto(buf []byte, s *stream, seg segment, appendTo func(dst, raw []byte) []byte) error {
	end := int64(len(buf)) - gzipTrailer
	raw := buf[end-seg.size() : end]
	if err := s.readAt(raw, seg.start); err != nil {
		return err
	}
	appendTo(buf[:0], raw)
	return nil
}
