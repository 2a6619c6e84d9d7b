package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

// The bytes of a bundle are a promise: backups of the same image stay the same
// over years. When this fails after an update of the deflate library, the new
// bytes are allowed, because the library's version is part of each plan; put them
// here, and tell users in the release notes that all bundles change once.
func TestEachWayOfCompressionKeepsItsBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text, random := prose(r, 300_000), noise(r, 100_000)
	for _, c := range []struct {
		codec Codec
		want  string // the first bytes of the SHA-256 of three members
	}{
		{Codec{Auto, 1}, "5df524782820cdc7"},
		{Codec{Auto, 2}, "d17245f19a41db08"},
		{Codec{Auto, 3}, "970475e33ef0ba49"},
		{Codec{Auto, 4}, "83cfd12a60079b94"},
		{Codec{Auto, 5}, "f1e59cc4aa3d84ba"},
		{Codec{Auto, 6}, "a063278d46bed61b"},
		{Codec{Auto, 7}, "336bdcb4ee4dafb3"},
		{Codec{Auto, 8}, "1572dc42aff3ddbd"},
		{Codec{Auto, 9}, "7f19f6d104d7f46a"},
		{Codec{Deflate, 6}, "a063278d46bed61b"},
		{Codec{Store, 6}, "d616398d1bc8e428"},
	} {
		enc := newEncoder(c.codec)
		h := sha256.New()
		for _, raw := range [][]byte{text, random, nil} {
			h.Write(enc.appendMember(make([]byte, 0, bufferSize), raw, nil))
		}
		if got := hex.EncodeToString(h.Sum(nil)[:8]); got != c.want {
			t.Errorf("%+v: bytes with hash %q, want %q", c.codec, got, c.want)
		}
	}
}
