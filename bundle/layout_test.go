package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// Where a bundle is cut is part of the promise that its bytes stay the same. When this
// fails the layout has changed, and FormatVersion must grow.
func TestTheLayoutOfABundleKeepsItsBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	when := time.Unix(1_700_000_000, 0)
	var members []Member
	add := func(name string, data []byte) {
		m, err := NewRegular(name, 0o644, when, Bytes(data))
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, m)
	}
	for i := range 400 {
		add(fmt.Sprintf("small/%03d", i), prose(r, r.IntN(9000)))
	}
	for _, size := range []int{largeMin - 1, largeMin, largeMin + 1, largeMin + 1000, segmentMax, 2*segmentMax + 1} {
		add(fmt.Sprintf("large/%07d", size), prose(r, size))
	}
	b := newBundle(t, newEngine(t, EngineOptions{Codec: Codec{Compression: Store}}), "img", members...)
	sum := sha256.Sum256(whole(t, b))
	if got, want := hex.EncodeToString(sum[:8]), "ce2cf549760fa283"; got != want {
		t.Errorf("bytes with hash %q, want %q", got, want)
	}
}

// sized is a list of entries with heads and bodies of given lengths.
type sized struct {
	salt          uint64 // of the names, which decide about borders
	heads, bodies []int64
}

func (s sized) count() int                 { return len(s.heads) }
func (s sized) align(int) int64            { return 1 }
func (s sized) name(i int) string          { return fmt.Sprint("entry", i, "of", s.salt) }
func (s sized) head(i int) ([]byte, error) { return make([]byte, s.heads[i]), nil }
func (s sized) headSize(i int) int64       { return s.heads[i] }
func (s sized) bodySize(i int) int64       { return s.bodies[i] }
func (s sized) body(i int) Content         { return Bytes(make([]byte, s.bodies[i])) }

// Whatever the entries are, their segments are the stream in order, and each fits into
// the memory that a worker has.
func TestSegmentsAreNeverLongerThanTheirLimit(t *testing.T) {
	r := seeded(t)
	for run := range 200 {
		es := sized{salt: r.Uint64()}
		for range 1 + r.IntN(3000) {
			es.heads = append(es.heads, int64(1+r.IntN(600)))
			body := r.Int64N(2000)
			switch r.IntN(100) * (run % 2) { // every other run has small entries in plenty
			case 1:
				body = largeMin - 1 - r.Int64N(3)
			case 2:
				body = largeMin + r.Int64N(2*segmentMax)
			}
			es.bodies = append(es.bodies, body)
		}
		checkSegments(t, es)
	}
	// A head that no longer fits behind what is before it.
	checkSegments(t, sized{1, []int64{1, segmentMax - largeMin/2, 700_000, 10}, []int64{largeMin/2 - 10, 0, largeMin, 5}})
}

func checkSegments(t *testing.T, es sized) {
	t.Helper()
	s := newStream(es)
	at := int64(0)
	for i, seg := range s.cut() {
		if seg.start != at || seg.size() <= 0 || seg.size() > segmentMax {
			t.Fatalf("segment %d from %d to %d, behind %d", i, seg.start, seg.end, at)
		}
		at = seg.end
	}
	if at != s.size() {
		t.Fatalf("the segments end at %d of %d", at, s.size())
	}
}

// Offsets count a header before it is made, by the lengths of names.
func TestHeadersAreAsLongAsOffsetsCountThem(t *testing.T) {
	r := seeded(t)
	text := func(length int) string { return strings.Repeat([]string{"d", "é"}[r.IntN(2)], length)[:length] }
	var members []Member
	for _, length := range []int{1, 90, 93, 94, 95, 99, 100, 101, 505, 506, 510, 511, 512, 513, 1023, 1024, 4000} {
		for kind := Directory; kind <= BlockDevice; kind++ {
			m := Member{
				Name: text(length), Kind: kind, Perm: 0o7777, UID: r.Uint32(), GID: r.Uint32(),
				ModTime: time.Unix(r.Int64N(1<<40), 0), Major: r.Uint32(), Minor: r.Uint32(),
			}
			switch kind {
			case Regular:
				m.Content = vast{size: r.Int64N(1 << 50)}
			case Symlink, HardLink:
				m.Target = text(1 + r.IntN(2*length))
			}
			members = append(members, m)
		}
	}
	es := &tarEntries{top: "img", members: members}
	for i := range es.count() {
		head, err := es.head(i)
		if err != nil || int64(len(head)) != es.headSize(i) {
			t.Errorf("%s: a header of %d bytes, %v, and %d were counted", es.name(i), len(head), err, es.headSize(i))
		}
	}
}

// vast is content of any size, which is never read.
type vast struct {
	Content
	size int64
}

func (v vast) Size() int64 { return v.size }

// What is between two entries is zeros, whatever the memory held before.
func TestPaddingIsZeros(t *testing.T) {
	s := newStream(&tarEntries{top: "img", members: []Member{bytesMember(t, "a", []byte("x")), bytesMember(t, "b", nil)}})
	want := make([]byte, s.size())
	if err := s.readAt(want, 0); err != nil {
		t.Fatal(err)
	}
	got := bytes.Repeat([]byte{0xaa}, len(want))
	if err := s.readAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("what was in the memory is in the archive, from %d on, %v", difference(got, want), err)
	}
}

// mixed is content of which deflate leaves about so many percent.
func mixed(r *rand.Rand, n, percent int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		b.Write(noise(r, percent*10))
		b.Write(make([]byte, 1000-percent*10))
	}
	return b.Bytes()[:n]
}

// The border between stored and deflated contents is part of the layout too.
func TestWhatDeflatingMakesATenthShorterIsDeflated(t *testing.T) {
	r := seeded(t)
	e := newEngine(t, EngineOptions{})
	for percent, stored := range map[int]bool{50: false, 90: false, 98: true} {
		if got, err := e.isCompressed(t.Context(), Bytes(mixed(r, 1<<20, percent))); err != nil || got != stored {
			t.Errorf("%d %%: stored %v, %v", percent, got, err)
		}
	}
}
