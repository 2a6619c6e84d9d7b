package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"imgexportfs/bundle"
)

// The gzip header of a segment (docs/format.md, step 4).
const (
	headFixed  = 10                 // RFC 1952, section 2.3
	headLength = headFixed + 2 + 8  // with XLEN and the subfield MZ
	headPlan   = headLength + 4     // with the head of the subfield IX
	planFixed  = 1 + 32             // version and hash
	planMax    = planFixed + 1023   // and zeros
	trailer    = 8                  // CRC-32 and ISIZE
	headMax    = headPlan + planMax // of the first segment
	flagExtra  = 4                  // FEXTRA
)

// isOurs reports whether head, the first bytes of a file, were the header of a bundle of
// this project before one byte of them was changed. So damage of the header is found,
// and not taken for a bundle of another program.
func isOurs(head []byte) bool {
	if len(head) < headPlan {
		return false
	}
	length, plan := string(head[12:14]) == "MZ", string(head[20:22]) == "IX"
	extra := int(binary.LittleEndian.Uint16(head[10:12]))
	withPlan := head[3]&flagExtra != 0 && extra >= headPlan-headFixed-2+planFixed
	return length && plan || (length || plan) && withPlan
}

// segmentHead is what the header of a segment says.
type segmentHead struct {
	size     int // of the header
	deflated int // bytes of deflate data
	version  int // of the format; only in the first header, as the next
	plan     [32]byte
}

// parseHead reads the header at the start of head. All of its bytes are checked but those
// of the plan's hash, which no checksum covers.
func parseHead(head []byte, first bool) (segmentHead, error) {
	if len(head) < headLength {
		return segmentHead{}, errCut
	}
	if !bytes.Equal(head[:headFixed], []byte{0x1f, 0x8b, 8, flagExtra, 0, 0, 0, 0, 0, 255}) ||
		string(head[12:14]) != "MZ" || binary.LittleEndian.Uint16(head[14:16]) != 4 {
		return segmentHead{}, fmt.Errorf("% x is not the header of a gzip member of a bundle", head[:16])
	}
	h := segmentHead{size: headLength, deflated: int(binary.LittleEndian.Uint32(head[16:20]))}
	if h.deflated < 1 || h.deflated > deflatedMax {
		return h, fmt.Errorf("the header says %d bytes of deflate data, which no segment has", h.deflated)
	}
	extra := int(binary.LittleEndian.Uint16(head[10:12]))
	if !first {
		if extra != headLength-headFixed-2 {
			return h, fmt.Errorf("the header has an extra field of %d bytes", extra)
		}
		return h, nil
	}
	return h, h.parsePlan(head, extra)
}

// parsePlan reads the subfield that only the first header has.
func (h *segmentHead) parsePlan(head []byte, extra int) error {
	if len(head) < headPlan+planFixed {
		return errCut
	}
	length := int(binary.LittleEndian.Uint16(head[22:24]))
	payload := head[headPlan:]
	copy(h.plan[:], payload[1:planFixed])
	padding := int(binary.LittleEndian.Uint16(h.plan[:])) & 1023
	if string(head[20:22]) != "IX" || length != planFixed+padding || extra != headPlan-headFixed-2+length {
		return fmt.Errorf("the subfield of the plan is not as its hash says")
	}
	h.size, h.version = headPlan+length, int(payload[0])
	if h.version < 1 || h.version > bundle.FormatVersion {
		return fmt.Errorf("format %d is unknown; the byte is damaged, or the bundle needs a newer version of this program", h.version)
	}
	if len(payload) < length {
		return errCut
	}
	if len(bytes.Trim(payload[planFixed:length], "\x00")) > 0 {
		return fmt.Errorf("the padding of the first header is not zeros")
	}
	return nil
}
