package verify

import (
	"bytes"
	"context"
	"testing"

	"imgexportfs/bundle"
)

// FuzzRead finds inputs that make the reader panic, hang, or take a damaged bundle for
// another one that is sound. Use -fuzzminimizetime 1x: which goroutine runs first looks like new
// coverage, and the minute for each such input would be all that is done.
func FuzzRead(f *testing.F) {
	made, err := bundle.NewRegular(bundle.Manifest, 0o644, bundle.Newest(nil), bundle.Bytes("<xcatimage><osimage><imagename>i</imagename></osimage></xcatimage>"))
	if err != nil {
		f.Fatal(err)
	}
	ms := []bundle.Member{made}
	whole := packed(f, ms, bundle.Codec{Compression: bundle.Store})
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(packed(f, ms, bundle.Codec{}))
	f.Add(gzipped(f, tarOf(f, entry{"./i/", ""}, entry{"./i/manifest.xml", manifestText}, entry{"./i/extra/a", "b"})))
	f.Add([]byte{0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 45, 0, 'M', 'Z', 4, 0, 255, 255, 255, 255, 'I', 'X', 33, 0, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		against := func(context.Context, Head) (*Reference, error) { return &Reference{Members: ms, Extras: true}, nil }
		result, err := Read(t.Context(), bytes.NewReader(data), Options{Workers: 2, Hash: true, Against: against})
		if err != nil {
			t.Fatalf("bytes in memory gave an error: %v", err)
		}
		if result.Damage == nil && unpack(bytes.TrimRight(data, "\x00")) == nil && unpack(data) == nil {
			t.Fatalf("sound, but gunzip does not take it: %q", data)
		}
	})
}

// FuzzManifest finds manifests that make the reader panic.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(manifestText))
	f.Add([]byte("<xcatimage><kit/><extra><src>x</src></extra><rawimagefiles><files>/a</files><files>/b</files></rawimagefiles></xcatimage>"))
	f.Add([]byte("<xcatimage><a><b><c/></b></a></xcatimage>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			return
		}
		if rows := differentRows(m, m, func(string) bool { return false }); len(rows) > 0 {
			t.Errorf("a manifest differs from itself in %q", rows)
		}
	})
}
