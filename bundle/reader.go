package bundle

import (
	"context"
	"io"
	"sync"
)

// runMin is how many segments in a row make a reader who goes forward: two may
// be chance, when reads are random. Who begins at the start is taken for one
// at once.
const runMin = 3

// windowMax is how many segments are made ahead of a reader at most.
const windowMax = 16

// Reader reads a bundle, or rootimgtree.gz, from any offset. It has segments
// made ahead while it is read forward. It is safe for concurrent use, for
// the kernel sends the reads of one file in parallel and in any order.
type Reader struct {
	engine *Engine
	blob   blob
	tally  *tally // of a bundle whose hash is not known

	mu     sync.Mutex
	last   int // the furthest segment read in the present run forward
	run    int // segments read in this run, one after the other
	window int // segments to make ahead; grows while reading goes forward
	upTo   int // segments below have been asked for in this run
}

// NewReader returns a Reader of the bundle.
func (b *Bundle) NewReader() *Reader {
	r := b.engine.newReader(b)
	r.tally = newTally(b)
	return r
}

// NewTreeReader returns a Reader of rootimgtree.gz.
func (e *Engine) NewTreeReader(t *Tree) *Reader { return e.newReader(treeBlob{t}) }

func (e *Engine) newReader(b blob) *Reader {
	e.readers.Add(1)
	return &Reader{engine: e, blob: b, last: -1, run: runMin}
}

// Close gives the reader's share of the budget to others.
func (r *Reader) Close() {
	r.tally.close()
	r.engine.readers.Add(-1)
}

// ReadAt fills p with the bytes from off. Less than len(p) comes back only
// with an error: io.EOF behind the end, ErrChanged when a source is not what
// it was, or that of ctx.
func (r *Reader) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	starts, err := r.blob.offsets(ctx)
	if err != nil {
		return 0, err
	}
	size := starts[len(starts)-1]
	if off >= size {
		return 0, io.EOF
	}
	atEnd := int64(len(p)) > size-off
	if atEnd {
		p = p[:size-off]
	}
	done := 0
	for i := covering(starts, off); done < len(p); i++ {
		r.ahead(i, len(starts)-1)
		blk, err := r.engine.get(ctx, r.blob, i)
		if err != nil {
			return done, err
		}
		r.tally.add(i, blk)
		done += copy(p[done:], blk.data[off+int64(done)-starts[i]:])
		r.release(blk, i, off+int64(done) == starts[i+1])
	}
	if atEnd {
		return done, io.EOF
	}
	return done, nil
}

// View returns the n bytes from off without copying them, if they lie in one
// block, and nil if they do not. The bytes stay what they are until done is
// called, which must happen once.
func (r *Reader) View(ctx context.Context, n int, off int64) (data []byte, done func(), err error) {
	starts, err := r.blob.offsets(ctx)
	if err != nil || off < 0 || off >= starts[len(starts)-1] {
		return nil, nil, err
	}
	i := covering(starts, off)
	if off+int64(n) > starts[i+1] {
		return nil, nil, nil
	}
	r.ahead(i, len(starts)-1)
	blk, err := r.engine.get(ctx, r.blob, i)
	if err != nil {
		return nil, nil, err
	}
	r.tally.add(i, blk)
	at, end := off-starts[i], off+int64(n)-starts[i]
	return blk.data[at:end], func() { r.release(blk, i, end == int64(len(blk.data))) }, nil
}

// release gives block i back, after its last byte was read or not. Whoever
// reads forward does not come back to it.
func (r *Reader) release(blk *block, i int, ended bool) {
	if ended && r.blob.quick(i) {
		r.engine.cache.discard(blk)
	} else {
		r.engine.cache.release(blk)
	}
}

// ahead is told that segment i of n is about to be read, and has those
// behind it made if the reader goes forward.
func (r *Reader) ahead(i, n int) {
	from, to := r.plan(i, n)
	for ; from < to; from++ {
		if !r.engine.prefetch(r.blob, from, ahead, mayDrop) {
			return
		}
	}
}

// plan returns the range of segments to make ahead of segment i.
func (r *Reader) plan(i, n int) (from, to int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case i == r.last+1: // the next one; a first read of the start is one too
		r.last = i
		if r.run++; r.run < runMin {
			return 0, 0
		}
		r.window = min(max(2*r.window, 2), r.windowLimit())
	case i <= r.last && i+windowMax >= r.last: // late parts of what is being read
		return 0, 0
	case i > r.last && i < r.upTo: // early ones
		r.last = i
	default: // a jump
		r.last, r.run, r.window, r.upTo = i, 1, 0, 0
		return 0, 0
	}
	from = max(i+1, r.upTo)
	r.upTo = max(r.upTo, min(i+1+r.window, n))
	return from, r.upTo
}

// windowLimit shares half of the budget among the readers.
func (r *Reader) windowLimit() int {
	share := r.engine.cache.budget / 2 / segmentMax / max(r.engine.readers.Load(), 1)
	return int(min(max(share, 1), windowMax))
}
