package index

import (
	"crypto/sha256"
	"maps"
	"testing"

	"imgexportfs/bundle/blocks"
)

// FuzzDecode holds index files to this: bytes with any right checksum are refused, or are
// understood so that what is written of it is understood in the same way. A number of
// records that the file has no room for asks for no memory.
func FuzzDecode(f *testing.F) {
	one := file{lengths: map[blocks.Key]uint32{{1}: 7}, sums: map[blocks.Key][32]byte{{2}: {3}}}
	for _, known := range []file{{}, one} {
		sealed := known.encode()
		f.Add(sealed[:len(sealed)-sha256.Size], true)
		f.Add(sealed, false)
	}
	f.Add([]byte(magic+"\xff\xff\xff\xff"), true)
	f.Add([]byte(magic+"\x00\x00\x00\x00\xff\xff\xff\x7f"), true)
	f.Add([]byte(magic+"\x00\x00\x00\x00\x00\x00\x00\x00x"), true)
	f.Add([]byte(magic), true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, text []byte, seal bool) {
		if seal {
			sum := sha256.Sum256(text)
			text = append(text, sum[:]...)
		}
		known, err := decode(text)
		if err != nil {
			if len(known.lengths)+len(known.sums) > 0 {
				t.Errorf("%q is %v, and %v", text, known, err)
			}
			return
		}
		again, err := decode(known.encode())
		if err != nil || !maps.Equal(again.lengths, known.lengths) || !maps.Equal(again.sums, known.sums) {
			t.Errorf("%q is %v, and what that is written as is %v, %v", text, known, again, err)
		}
		if records := len(known.lengths) + len(known.sums); records*lengthRecord > len(text) {
			t.Errorf("%d records in %d bytes", records, len(text))
		}
	})
}
