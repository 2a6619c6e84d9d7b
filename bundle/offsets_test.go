package bundle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestAlignUpIsTheNextMultiple(t *testing.T) {
	for _, c := range []struct{ n, align, want int64 }{
		{0, 512, 0}, {1, 512, 512}, {511, 512, 512}, {512, 512, 512}, {513, 512, 1024}, {110, 4, 112}, {1 << 40, 512, 1 << 40}, {1<<40 + 1, 512, 1<<40 + 512},
	} {
		if got := alignUp(c.n, c.align); got != c.want {
			t.Errorf("alignUp(%d, %d) = %d, want %d", c.n, c.align, got, c.want)
		}
	}
}

func TestStoredSizeIsWhatStoredBlocksTake(t *testing.T) {
	for _, n := range []int{0, 1, storedMax - 1, storedMax, storedMax + 1, 2 * storedMax, 2*storedMax + 1, segmentMax} {
		if got, want := int64(len(appendStored(nil, make([]byte, n)))), storedSize(int64(n)); got != want {
			t.Errorf("%d bytes take %d bytes in stored blocks, storedSize says %d", n, got, want)
		}
	}
}

func TestChunksOfALargeContentMeetItsEnd(t *testing.T) {
	for _, size := range []int64{1, segmentMax - 1, segmentMax, segmentMax + 1, 5*segmentMax + 7, 9 << 30} {
		off := max(0, size-3*segmentMax) / segmentMax * segmentMax
		for off < size {
			end := chunkEnd(off, size)
			if end <= off || end > size || end-off > segmentMax || end != size && end%segmentMax != 0 {
				t.Fatalf("size %d: chunk from %d to %d", size, off, end)
			}
			off = end
		}
	}
}

// randomStarts are those of things of which some are empty.
func randomStarts(r *rand.Rand) []int64 {
	return startsOf(1+r.IntN(40), func(int) int64 { return max(0, r.Int64N(12)-2) })
}

func TestPieceAtFindsThePieceOfEveryOffset(t *testing.T) {
	r := seeded(t)
	for range 200 {
		starts := randomStarts(r)
		for off := range starts[len(starts)-1] {
			want := slices.IndexFunc(starts, func(s int64) bool { return s > off }) - 1
			if got := pieceAt(starts, off); got != want {
				t.Fatalf("pieceAt(%v, %d) = %d, want %d", starts, off, got, want)
			}
		}
	}
}

func TestPieceAtIsLoudOutsideOfItsDomain(t *testing.T) {
	for _, c := range []struct {
		starts []int64
		off    int64
	}{{[]int64{0, 5}, 5}, {[]int64{0, 5}, -1}, {[]int64{0}, 0}, {nil, 0}, {[]int64{0, 0}, 0}} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "BUG: ") {
					t.Errorf("pieceAt(%v, %d): %v", c.starts, c.off, v)
				}
			}()
			pieceAt(c.starts, c.off)
		}()
	}
}

func TestPiecesAreTheBytesInOrder(t *testing.T) {
	r := seeded(t)
	for range 500 {
		starts := randomStarts(r)
		size := starts[len(starts)-1]
		off := r.Int64N(size + 1)
		end := off + r.Int64N(size-off+1)
		at := off
		for p := range pieces(starts, off, end) {
			if p.size() <= 0 || p.from < 0 || starts[p.i]+p.from != at || starts[p.i]+p.to > starts[p.i+1] {
				t.Fatalf("pieces(%v, %d, %d): %+v at %d", starts, off, end, p, at)
			}
			at += p.size()
		}
		if at != end {
			t.Fatalf("pieces(%v, %d, %d) end at %d", starts, off, end, at)
		}
	}
}

func TestBuffersHoldTheLargestMember(t *testing.T) {
	chunk := plainMemberSize(segmentMax)
	if n := memberMax(chunk, make([]byte, 1+32+paddingMax)); n > bufferSize {
		t.Errorf("a member of %d bytes does not fit into %d", n, bufferSize)
	}
}
