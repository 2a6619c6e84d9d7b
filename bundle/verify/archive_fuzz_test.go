package verify

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"imgexportfs/bundle"
)

// FuzzArchive finds archives that the reader of members takes for what they are not.
// FuzzRead changes packed bytes, whose checksums keep it from most of them.
func FuzzArchive(f *testing.F) {
	manifest := entry{"./i/manifest.xml", "<xcatimage><osimage><imagename>i</imagename></osimage></xcatimage>"}
	f.Add(tarOf(f, entry{"./i/", ""}, manifest, entry{"./i/extra/a", "b"}))
	f.Add(tarOf(f, manifest, entry{"./i/litefile.csv", "\"i\",\"/etc\",\"tmpfs\",,\n"}, entry{"./j/manifest.xml", "x"}))
	f.Add(tarOf(f, manifest, entry{"./i/../x", "b"}))
	f.Add(tarOf(f, entry{"/i/x", "b"}, entry{"./.hidden/x", ""}, entry{"i", ""}))
	f.Add(tarOf(f, manifest, entry{"./i/" + strings.Repeat("long/", 60), ""}, entry{"./i/\x1b[2J\n", "x"}))
	f.Add(tarOf(f, manifest)[:700])
	m, err := bundle.NewRegular(bundle.Manifest, 0o644, bundle.Newest(nil), bundle.Bytes(manifest.data))
	if err != nil {
		f.Fatal(err)
	}
	against := func(context.Context, Head) (*Reference, error) {
		return &Reference{Members: []bundle.Member{m}, Extras: true}, nil
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		result, err := Read(t.Context(), bytes.NewReader(gzipped(t, text)), Options{Workers: 1, Against: against})
		if err != nil {
			t.Fatalf("bytes in memory gave an error: %v", err)
		}
		if name := result.Name; strings.ContainsAny(name, "/\x00") || name == ".." || name == "." {
			t.Errorf("the image has the name %q", name)
		}
		if len(result.Differences)+len(result.Notes) > 2*listedMax+2 {
			t.Errorf("%d differences and %d notes are kept", len(result.Differences), len(result.Notes))
		}
		if result.Damage == nil && (result.Name == "" || result.Members == 0) {
			t.Errorf("sound, but there is no image: %+v", result)
		}
	})
}
