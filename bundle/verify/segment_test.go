package verify

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// packedSegment is deflate data with its trailer.
func packedSegment(deflated, raw []byte) *segment {
	packed := binary.LittleEndian.AppendUint32(bytes.Clone(deflated), crc32.ChecksumIEEE(raw))
	return &segment{packed: binary.LittleEndian.AppendUint32(packed, uint32(len(raw)))}
}

// Checksums cover the bytes alone, so everything else of a segment is checked by itself.
func TestASegmentIsDeflateDataAndNothingElse(t *testing.T) {
	raw := bytes.Repeat([]byte("segment "), 1000)
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, 6)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(raw)
	_ = w.Close()
	deflated := out.Bytes()
	stored := func(head byte, data []byte) []byte {
		n := len(data)
		return append([]byte{head, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)}, data...)
	}
	for name, test := range map[string]struct {
		deflated, raw []byte
		sound         bool
	}{
		"deflated":                     {deflated, raw, true},
		"bytes behind deflated":        {append(bytes.Clone(deflated), 0), raw, false},
		"deflated, cut":                {deflated[:len(deflated)-1], raw, false},
		"deflated, shorter than said":  {deflated, append(bytes.Clone(raw), 'x'), false},
		"deflated, longer than said":   {deflated, raw[:len(raw)-1], false},
		"stored":                       {stored(1, raw), raw, true},
		"stored in two blocks":         {append(stored(0, raw[:9]), stored(1, raw[9:])...), raw, true},
		"bytes behind stored":          {append(stored(1, raw), 0), raw, false},
		"stored, shorter than said":    {stored(1, raw[:9]), raw, false},
		"stored, longer than said":     {stored(1, raw), raw[:9], false},
		"stored without an end":        {stored(0, raw), raw, false},
		"bits that should not be set":  {stored(1|8, raw), raw, false},
		"the same of the first of two": {append(stored(8, raw[:9]), stored(1, raw[9:])...), raw, false},
		"nothing":                      {stored(1, nil), nil, false},
	} {
		if err := packedSegment(test.deflated, test.raw).unpack(); (err == nil) != test.sound {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := make([]byte, segmentMax+1)
	var huge bytes.Buffer
	w.Reset(&huge)
	_, _ = w.Write(long)
	_ = w.Close()
	if err := packedSegment(huge.Bytes(), long).unpack(); err == nil {
		t.Errorf("a segment of %d bytes", len(long))
	}
	for bit := range 32 {
		s := packedSegment(deflated, raw)
		s.packed[len(deflated)+bit/8] ^= 1 << (bit % 8)
		if err := s.unpack(); err == nil {
			t.Errorf("bit %d of the checksum", bit)
		}
	}
}

// The memory of a segment serves the next one, whose bytes are not to be those of the last.
func TestWhatIsLeftOfASegmentIsNoneOfTheNext(t *testing.T) {
	raw := bytes.Repeat([]byte("segment "), 1000)
	head := func(n int) []byte { return []byte{1, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)} }
	s := packedSegment(append(head(len(raw)), raw...), raw)
	if err := s.unpack(); err != nil {
		t.Fatal(err)
	}
	s.packed = packedSegment(append(head(9), raw[:9]...), raw).packed
	if err := s.unpack(); err == nil {
		t.Error("nine bytes pass for all")
	}
}
