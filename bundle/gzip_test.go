package bundle

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"testing"
)

func TestMembersUnpackToWhatTheyWereMadeOf(t *testing.T) {
	r := seeded(t)
	enc := newEncoder(Codec{Level: DefaultLevel})
	for _, c := range []struct {
		name string
		raw  []byte
	}{
		{"one byte", []byte{7}},
		{"text", prose(r, 100_000)},
		{"noise", noise(r, 100_000)},
		{"zeros", make([]byte, segmentMax)},
		{"a full block", noise(r, storedMax)},
		{"a full segment", noise(r, segmentMax)},
	} {
		for _, plan := range [][]byte{nil, make([]byte, 33+paddingMax)} {
			for _, stored := range []bool{false, true} {
				room := memberMax(int64(len(c.raw)), plan)
				pack := enc.appendMember
				if stored {
					pack = appendStoredMember
				}
				m := pack(make([]byte, 0, room), c.raw, plan)
				if !bytes.Equal(gunzip(t, m), c.raw) {
					t.Errorf("%s, stored %v: other bytes come out", c.name, stored)
				}
				if int64(len(m)) > room || stored && int64(len(m)) != room {
					t.Errorf("%s, stored %v: %d bytes, at most %d", c.name, stored, len(m), room)
				}
				if again := pack(make([]byte, 0, room), c.raw, plan); !bytes.Equal(again, m) {
					t.Errorf("%s, stored %v: two members of one content differ", c.name, stored)
				}
			}
		}
	}
}

func TestHeaderTellsWhereTheNextMemberStarts(t *testing.T) {
	r := seeded(t)
	enc := newEncoder(Codec{Level: DefaultLevel})
	plan := planPayload([32]byte{0xff, 0x03})
	if len(plan) != 33+1023 {
		t.Fatalf("payload of %d bytes", len(plan))
	}
	for _, p := range [][]byte{nil, plan} {
		m := enc.appendMember(make([]byte, 0, bufferSize), prose(r, 70_000), p)
		z, err := gzip.NewReader(bytes.NewReader(m))
		if err != nil {
			t.Fatal(err)
		}
		if z.OS != 255 || !z.ModTime.IsZero() || z.Name != "" {
			t.Errorf("header says more than it should: %+v", z.Header)
		}
		if z.Extra[0] != 'M' || z.Extra[1] != 'Z' || binary.LittleEndian.Uint16(z.Extra[2:]) != 4 {
			t.Fatalf("no length subfield in % x", z.Extra[:8])
		}
		deflated := int64(binary.LittleEndian.Uint32(z.Extra[4:]))
		if got := gzipSize(memberExtra(p), deflated); got != int64(len(m)) {
			t.Errorf("the header leads to %d, the member ends at %d", got, len(m))
		}
		if p != nil && !bytes.Equal(z.Extra[12:], p) {
			t.Error("the plan is not in the header")
		}
	}
}

func TestCompressedFilesAreStoredAndOthersDeflated(t *testing.T) {
	r := seeded(t)
	e := newEngine(t, EngineOptions{})
	text := prose(r, 1<<20)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(noise(r, 1<<20))
	_ = z.Close()
	for _, c := range []struct {
		name string
		data []byte
		want bool
	}{
		{"text", text, false},
		{"gzip", packed.Bytes(), true},
		{"noise with a readable end", append(noise(r, 4<<20), text[:100<<10]...), true},
		{"zeros", make([]byte, 1<<20), false},
	} {
		got, err := e.isCompressed(t.Context(), Bytes(c.data))
		if err != nil || got != c.want {
			t.Errorf("%s: compressed = %v, %v", c.name, got, err)
		}
	}
}

// mostlyZeros is a disk image of 8 GiB with noise in one place of sixteen.
type mostlyZeros struct{ Bytes }

func (mostlyZeros) Size() int64 { return 8 << 30 }

func (z mostlyZeros) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off>>26%16 == 0 {
		copy(p, z.Bytes)
	}
	return len(p), nil
}

func TestSamplesOfLargeFilesAreManyEnough(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	if stored, err := e.isCompressed(t.Context(), mostlyZeros{noise(seeded(t), sampleSize)}); err != nil || stored {
		t.Errorf("compressed = %v, %v", stored, err)
	}
}
