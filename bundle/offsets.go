package bundle

// All arithmetic about sizes and offsets of segments and gzip members. Pure
// functions: the rest of the package trusts them blindly.

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

	tarBlock = 512
)

// alignUp returns the smallest multiple of align that is not below n.
// align is a power of two.
func alignUp(n, align int64) int64 { return (n + align - 1) &^ (align - 1) }

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

// covering returns the index of the piece that holds offset off, where
// starts[i] is the first offset of piece i and starts[len-1] is the end of
// the last one. off must lie in between.
func covering(starts []int64, off int64) int {
	lo, hi := 0, len(starts)-1
	for hi-lo > 1 {
		if mid := int(uint(lo+hi) >> 1); starts[mid] <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}
