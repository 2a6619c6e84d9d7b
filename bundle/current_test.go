package bundle

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestABundleKnowsWhatItHasWritten(t *testing.T) {
	random := seeded(t)
	data, other := prose(random, 3*segmentMax), prose(random, 3*segmentMax)
	e := newEngine(t, EngineOptions{})
	plan := func(data []byte) *Bundle {
		return newBundle(t, e, "foo", bytesMember(t, "a", data), bytesMember(t, "b", []byte("b")))
	}
	b := plan(data)
	good := whole(t, b)
	const inPlan = gzipHeader + extraLength + subfield + lengthPayload + subfield + 10
	for _, test := range []struct {
		name string
		file []byte
		want bool
	}{
		{"itself", good, true},
		{"nothing", nil, false},
		{"no bundle", prose(random, 1<<20), false},
		{"another bundle", whole(t, plan(other)), false},
		{"another plan of its length", flipped(good, inPlan), false},
		{"another header at the end", flipped(good, lastStart(t, b)), false},
		{"cut by a byte", good[:len(good)-1], false},
		{"cut in the middle", good[:len(good)/2], false},
		{"longer by a byte", append(bytes.Clone(good), 0), false},
		{"a segment at the end missing", good[:lastStart(t, b)], false},
	} {
		got := b.Written(bytes.NewReader(test.file), int64(len(test.file)))
		if got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if !newBundle(t, newEngine(t, EngineOptions{}), "foo", b.members...).Written(bytes.NewReader(good), int64(len(good))) {
		t.Error("a later process does not know it")
	}
	if b.Written(badReader{}, int64(len(good))) {
		t.Error("a disk that fails holds it")
	}
}

// flipped returns a copy with another byte at off.
func flipped(b []byte, off int64) []byte {
	b = bytes.Clone(b)
	b[off]++
	return b
}

// lastStart is where the last segment begins.
func lastStart(t *testing.T, b *Bundle) int64 {
	t.Helper()
	starts, err := b.offsets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return starts[len(starts)-2]
}

type badReader struct{ io.ReaderAt }

func (badReader) ReadAt([]byte, int64) (int, error) { return 0, errors.New("bad disk") }
