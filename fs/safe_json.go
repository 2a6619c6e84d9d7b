package fs

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// SafeJSON returns lines of JSON so that a terminal can show them: what encoding/json leaves
// in a string although it could steer one is written as an escape, which means the same. It
// is DEL, the control characters from U+0080 to U+009F, of which U+009B begins a command,
// and invisible and direction-changing characters.
func SafeJSON(text []byte) []byte {
	var safe bytes.Buffer
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == '\n' || strconv.IsPrint(r) {
			safe.Write(text[:size])
		} else {
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&safe, `\u%04x`, unit)
			}
		}
		text = text[size:]
	}
	return safe.Bytes()
}
