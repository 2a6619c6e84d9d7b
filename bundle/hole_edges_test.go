package bundle

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// Data that begins behind a hole in the same segment is data.
func TestASegmentWithDataAnywhereIsNoHole(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	path := root.Dir() + "/disk"
	writeFile(t, path, nil)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var errs []error
	for _, at := range []int64{2*segmentMax + 64<<10, 5*segmentMax - 64<<10, 7*segmentMax + 512<<10} {
		_, err := f.WriteAt(prose(r, 1000), at)
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, f.Truncate(10*segmentMax), f.Close())...); err != nil {
		t.Fatal(err)
	}
	b := newBundle(t, newEngine(t, EngineOptions{Codec: Codec{Compression: Deflate}}), "foo", fileMember(t, root, "/disk"))
	if got, want := gunzip(t, whole(t, b)), model(t, b); !bytes.Equal(got, want) {
		t.Errorf("other bytes, from %d on", difference(got, want))
	}
}
