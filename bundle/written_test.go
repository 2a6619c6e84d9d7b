package bundle

import (
	"bytes"
	"testing"
)

// A file system that was not synced may have the length and not the bytes.
func TestAFileWithHolesIsNotWritten(t *testing.T) {
	b := newBundle(t, newEngine(t, EngineOptions{}), "foo", bytesMember(t, "a", prose(seeded(t), 3*segmentMax)))
	good := whole(t, b)
	starts, err := b.offsets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(starts) - 1 {
		torn := bytes.Clone(good)
		clear(torn[starts[i+1]-100 : starts[i+1]])
		if b.Written(bytes.NewReader(torn), int64(len(torn))) {
			t.Errorf("the end of segment %d is zeros", i)
		}
	}
}
