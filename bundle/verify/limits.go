package verify

// What a bundle may ask for at most. docs/verify.md gives the numbers to users.
const (
	// segmentMax is the most that one gzip member of a bundle unpacks to (docs/format.md,
	// step 3): 1 MiB, or 1 MiB of a root tree in gzip of stored blocks.
	segmentMax = 1<<20 + 103
	// deflatedMax is the most deflate data of such a member: what stored blocks take.
	deflatedMax = segmentMax + (segmentMax/storedBlockMax+1)*storedBlockHead

	manifestMax = 64 << 20 // bytes of manifest.xml, and of litefile.csv
	elementsMax = 1 << 20  // elements of a manifest
	namesMax    = 64 << 20 // bytes of the names that are compared with the manifest
	emptyMax    = 1000     // gzip members without a byte, one after the other
	paddingMax  = 1 << 20  // zeros behind the end: tar and tapes fill up blocks
	listedMax   = 1000     // differences and notes that are kept

	// unpackedMax and bombRatio tell a bomb: so many bytes, so many times the bytes read.
	// Deflate packs at most 1032 to one; an image of a disk may well be mostly zeros.
	unpackedMax = 256 << 30
	bombRatio   = 500
)
