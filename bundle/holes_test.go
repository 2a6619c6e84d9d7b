package bundle

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"imgexportfs/bundle/blocks"
)

func TestHolesOfASparseFileAreMadeOnce(t *testing.T) {
	const segments = 300 / fewer
	root := siteRoot(t, t.TempDir())
	path := root.Dir() + "/image"
	writeFile(t, path, prose(seeded(t), 3*segmentMax/2))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, werr := f.WriteAt([]byte("island"), segments/3*segmentMax+17)
	if err := errors.Join(werr, f.Truncate(segments*segmentMax+5), f.Close()); err != nil {
		t.Fatal(err)
	}
	m := fileMember(t, root, "/image")
	if st, err := root.Stat("/image"); err != nil || st.Blocks*512 >= st.Size {
		t.Skipf("this file system has no holes: %+v, %v", st, err)
	}
	b := newBundle(t, newEngine(t, EngineOptions{}), "foo", m)
	different := map[blocks.Key]bool{}
	for _, seg := range b.segs {
		different[seg.key] = true
	}
	// Headers, the text in two chunks, the hole, the island, the end.
	if len(b.segs) < segments || len(different) > 8 {
		t.Errorf("%d of %d segments differ", len(different), len(b.segs))
	}
	dense := fileMember(t, root, "/image")
	dense.Content = solid{dense.Content}
	want := whole(t, newBundle(t, newEngine(t, EngineOptions{}), "foo", dense))
	got := whole(t, b)
	if !bytes.Equal(got, want) {
		t.Errorf("the bytes depend on where the holes are, from %d on", difference(got, want))
	}
	if size, err := b.Size(context.Background()); err != nil || size != int64(len(want)) {
		t.Errorf("size %d, %v, want %d", size, err, len(want))
	}
}

// solid is content without holes.
type solid struct{ Content }

func (c solid) hashRange(s *fieldHash, off, end int64) {
	s.string("solid")
	s.int(off)
	s.int(end)
}
