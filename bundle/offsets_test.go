package bundle

import (
	"slices"
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

func TestCoveringFindsThePieceOfEveryOffset(t *testing.T) {
	r := seeded(t)
	for range 200 {
		starts := []int64{0}
		for range 1 + r.IntN(40) {
			starts = append(starts, starts[len(starts)-1]+1+r.Int64N(9))
		}
		for off := range starts[len(starts)-1] {
			want := slices.IndexFunc(starts, func(s int64) bool { return s > off }) - 1
			if got := covering(starts, off); got != want {
				t.Fatalf("covering(%v, %d) = %d, want %d", starts, off, got, want)
			}
		}
	}
}

func TestBuffersHoldTheLargestMember(t *testing.T) {
	chunk := plainMemberSize(segmentMax)
	if n := memberMax(chunk, make([]byte, 1+32+paddingMax)); n > bufferSize {
		t.Errorf("a member of %d bytes does not fit into %d", n, bufferSize)
	}
}
