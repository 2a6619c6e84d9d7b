package bundle

import (
	"encoding/binary"
	"fmt"
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

// sliceWriter appends to a slice and stops at its capacity: deflating is
// given up when it gains nothing.
type sliceWriter struct {
	b    []byte
	full bool
}

func (s *sliceWriter) Write(p []byte) (int, error) {
	if len(s.b)+len(p) > cap(s.b) {
		s.full = true
		p = p[:cap(s.b)-len(s.b)]
	}
	s.b = append(s.b, p...)
	return len(p), nil
}

func newEncoder(c Codec) (*encoder, error) {
	w, err := flate.NewWriter(nil, c.Level)
	if err != nil {
		return nil, fmt.Errorf("deflate: %w", err)
	}
	return &encoder{codec: c, w: w}, nil
}

// memberMax is the most bytes that a gzip member of n bytes takes.
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

// storedMemberSize is the exact length of the member of a segment of n bytes
// that is stored.
func storedMemberSize(n int64, plan []byte) int64 { return memberMax(n, plan) }

// appendMember appends raw as a gzip member to dst, which has room for
// memberMax bytes. With stored, or when deflating gains nothing, the data is
// stored; the result depends on nothing but the arguments.
func (e *encoder) appendMember(dst, raw, plan []byte, stored bool) []byte {
	crc := crc32.ChecksumIEEE(raw)
	data := int(gzipHeader + memberExtra(plan)) // where the deflate data starts
	base := len(dst)
	if !stored && e.codec.Compression != Store {
		var ok bool
		if dst, ok = e.deflate(dst, raw, plan, data); ok {
			return appendTrailer(dst, crc, len(raw))
		}
	}
	dst = appendHeader(dst[:base], plan, uint32(storedSize(int64(len(raw)))))
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
	if cerr := e.w.Close(); werr != nil || cerr != nil || e.out.full || len(e.out.b) >= limit {
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

// appendPlainMember appends raw as such a member.
func appendPlainMember(dst, raw []byte) []byte {
	dst = append(dst, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
	dst = appendStored(dst, raw)
	return appendTrailer(dst, crc32.ChecksumIEEE(raw), len(raw))
}
