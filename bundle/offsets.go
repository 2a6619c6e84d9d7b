package bundle

import (
	"fmt"
	"iter"
	"sort"
)

// All arithmetic about sizes and offsets of segments and gzip members: pure
// functions, which the rest of the package relies on.

const (
	// segmentMax is the most bytes of a stream in one segment: large enough
	// for deflate to lose little at the borders, small enough that a read
	// of any byte costs little.
	segmentMax = 1 << 20
	// groupMin is how many bytes of small entries share a segment before a
	// name may end it, and groupGap how many more follow on average.
	groupMin = 256 << 10
	groupGap = 256 << 10
	// largeMin is the size from which a content gets segments of its own.
	largeMin = 512 << 10

	// storedMax is the most data that one stored deflate block can hold
	// (RFC 1951, section 3.2.4).
	storedMax = 65535
	// storedOverhead is the block's header: a byte with the type, which the
	// four bytes of the two lengths follow.
	storedOverhead = 5

	gzipHeader  = 10 // RFC 1952, section 2.3
	gzipTrailer = 8  // CRC-32 and length
	extraLength = 2  // XLEN, where FEXTRA is set
	subfield    = 4  // a subfield's two letters and its length

	tarBlock   = 512
	tarNameMax = 100 // bytes of a name or of where a link leads, in an entry's own header block
)

// alignUp returns the smallest multiple of align that is not below n.
// align is a power of two.
func alignUp(n, align int64) int64 { return (n + align - 1) &^ (align - 1) }

// tarHeadSize is the length of the header blocks of an archive entry in GNU's format (tar(5),
// "GNU Tar Archives"): what is longer than its field comes before, as an entry of its own
// that ends with a NUL.
func tarHeadSize(name, link string) int64 {
	size := int64(tarBlock)
	for _, s := range []string{name, link} {
		if len(s) > tarNameMax {
			size += tarBlock + alignUp(int64(len(s))+1, tarBlock)
		}
	}
	return size
}

// storedBlocks is the number of stored blocks that n bytes take. Nothing at
// all still takes one, for a deflate stream must end with a final block.
func storedBlocks(n int64) int64 {
	if n == 0 {
		return 1
	}
	return (n + storedMax - 1) / storedMax
}

// storedSize is the length of n bytes as a deflate stream of stored blocks.
func storedSize(n int64) int64 { return n + storedBlocks(n)*storedOverhead }

// extraSize is the length of the FEXTRA field, its own length included, that
// holds subfields with payloads of the given lengths. No payload, no field.
func extraSize(payloads ...int) int64 {
	if len(payloads) == 0 {
		return 0
	}
	n := int64(extraLength)
	for _, p := range payloads {
		n += subfield + int64(p)
	}
	return n
}

// gzipSize is the length of a gzip member around a deflate stream.
func gzipSize(extra, deflated int64) int64 {
	return gzipHeader + extra + deflated + gzipTrailer
}

// chunkEnd is where the chunk of a large content that starts at off ends.
func chunkEnd(off, size int64) int64 { return min(off+segmentMax, size) }

// endsGroup reports whether a group that is long enough ends before an entry
// with the given hash of its name and size in bytes: for one in so many
// entries that such ends are groupGap bytes apart, whatever the entries' sizes.
// They have to be rare: if every other entry could end a group, two divisions
// that once differ would hardly ever meet again.
func endsGroup(hash uint32, size int64) bool {
	return uint64(hash)*groupGap < uint64(size)<<32
}

// pieceAt returns the index of the piece that holds offset off, where starts[i]
// is the first offset of piece i and starts[len-1] is the end of the last one.
// Of pieces without bytes it returns none.
func pieceAt(starts []int64, off int64) int {
	last := len(starts) - 1
	if last < 1 || off < starts[0] || off >= starts[last] {
		panic(fmt.Sprintf("BUG: offset %d is in none of %d pieces", off, max(last, 0)))
	}
	return sort.Search(last, func(i int) bool { return starts[i+1] > off })
}

// piece is a range of bytes in one of several things that follow each other:
// those of thing i from from to to, counted from its own start.
type piece struct {
	i        int
	from, to int64
}

func (p piece) size() int64 { return p.to - p.from }

// pieces returns what the bytes from off to end consist of, in order.
func pieces(starts []int64, off, end int64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		if off == end {
			return
		}
		for i := pieceAt(starts, off); off < end; i++ {
			to := min(end, starts[i+1])
			if to > off && !yield(piece{i, off - starts[i], to - starts[i]}) {
				return
			}
			off = to
		}
	}
}

// startsOf returns where things of the given sizes start that follow each
// other, and the end of the last one.
func startsOf(n int, size func(i int) int64) []int64 {
	starts := make([]int64, n+1)
	for i := range n {
		starts[i+1] = starts[i] + size(i)
	}
	return starts
}
