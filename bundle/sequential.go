package bundle

// reach is how far behind or before the rest of a run a read may be and still
// belong to it: the kernel has several reads of up to a megabyte in flight for one
// reader, and they arrive in any order.
const reach = 4 << 20

// run is a row of reads of neighbouring bytes.
type run struct {
	from, high int64 // the first byte, and the end of the furthest read
	read       int64 // bytes asked for
}

// add takes in a read of the bytes from off to end. If it does not belong to
// the run, it begins a new one and add reports that.
func (r *run) add(off, end int64) (begins bool) {
	if r.read == 0 || off < max(r.from, r.high-reach) || off > r.high+reach {
		*r = run{from: off, high: end, read: end - off}
		return true
	}
	r.high = max(r.high, end)
	r.read += end - off
	return false
}

// runMin is how many segments in a row make a sequential reader; two may be
// chance when reads are random.
const runMin = 3

// ahead returns how many segments to make ahead, and the first of them: twice as
// many as were read in a row, if the reads are sequential.
func (r *run) ahead(starts []int64) (front, window int) {
	front = pieceAt(starts, r.high-1) + 1
	length := front - pieceAt(starts, r.from)
	switch {
	case 2*r.read < r.high-r.from: // most of what the run spans was not asked for
		return front, 0
	case r.from == 0 && length < runMin:
		// A whole segment is more than is read to know what kind of file it is.
		length = int(r.high / segmentMax)
	case length < runMin:
		return front, 0
	}
	return front, min(2*length, windowMax)
}
