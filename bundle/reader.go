package bundle

import (
	"context"
	"io"
	"sync"
)

// runMin is how many segments in a row make a reader who goes forward: two may
// be chance, when reads are random. Who begins at the start is taken for one
// from the first megabyte on.
const runMin = 3

// What is made ahead of a reader at most: so many segments, for each takes
// its time however short it comes out, and so many bytes of the budget.
const (
	windowMax   = 32
	windowBytes = 8 << 20
)

// demandMax is how many segments of one read are asked for before the first of
// them is there.
const demandMax = 8

// viewMax is how many blocks a view may hold at a time. A read of a megabyte
// mostly touches two stored segments.
const viewMax = 2

// Reader reads a bundle, or rootimgtree.gz, from any offset. It has segments
// made ahead while it is read forward. It is safe for concurrent use, for
// the kernel sends the reads of one file in parallel and in any order.
type Reader struct {
	engine *Engine
	blob   blob
	tally  *tally // of a bundle whose hash is not known

	mu     sync.Mutex // guards what follows
	course course
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
	return &Reader{engine: e, blob: b}
}

// Close gives the reader's share of the budget to others.
func (r *Reader) Close() {
	r.tally.close()
	r.engine.readers.Add(-1)
}

// ReadAt fills p with the bytes from off. Less than len(p) comes back only
// with an error: io.EOF behind the end, source.ErrChanged when a source is not what
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
	first, last := covering(starts, off), covering(starts, off+int64(len(p))-1)
	r.expect(starts, off, off+int64(len(p)))
	done, asked := 0, first
	for i := first; i <= last; i++ {
		asked = r.demand(max(asked, i), min(last, i+demandMax))
		blk, err := r.engine.get(ctx, r.blob, i)
		if err != nil {
			return done, err
		}
		r.tally.add(i, blk, r.share())
		done += copy(p[done:], blk.data[off+int64(done)-starts[i]:])
		r.release(blk, i, off+int64(done) == starts[i+1])
	}
	if atEnd {
		return done, io.EOF
	}
	return done, nil
}

// View returns the n bytes from off without copying them, in one piece for
// each block, if they lie in few blocks; nil if they do not. The bytes stay
// what they are until done is called, which must happen once.
func (r *Reader) View(ctx context.Context, n int, off int64) (pieces [][]byte, done func(), err error) {
	starts, err := r.blob.offsets(ctx)
	if err != nil || off < 0 || n == 0 || off+int64(n) > starts[len(starts)-1] {
		return nil, nil, err
	}
	end := off + int64(n)
	first, last := covering(starts, off), covering(starts, end-1)
	if last-first >= viewMax {
		return nil, nil, nil
	}
	r.expect(starts, off, end)
	r.demand(first, last)
	blocks := make([]*block, 0, viewMax)
	release := func() {
		for i, blk := range blocks {
			r.release(blk, first+i, end >= starts[first+i+1])
		}
	}
	for i := first; i <= last; i++ {
		blk, err := r.engine.get(ctx, r.blob, i)
		if err != nil {
			release()
			return nil, nil, err
		}
		blocks = append(blocks, blk)
		r.tally.add(i, blk, r.share())
		pieces = append(pieces, blk.data[max(off-starts[i], 0):min(end, starts[i+1])-starts[i]])
	}
	return pieces, release, nil
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

// demand has the segments from first to last made for a reader who waits for
// them, as far as there is room, and returns the one behind.
func (r *Reader) demand(first, last int) int {
	for first <= last && r.engine.prefetch(r.blob, first, demanded, mayDrop) {
		first++
	}
	return first
}

// expect is told that the bytes from off to end are about to be read, and has
// segments behind them made if the reader goes forward.
func (r *Reader) expect(starts []int64, off, end int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	window := r.window(starts, off, end)
	if front := r.course.front(); window > 0 && front < starts[len(starts)-1] {
		r.makeAhead(covering(starts, front-1)+1, len(starts)-1, window)
	}
}

// window notes a read and returns how many segments to make ahead: twice as
// many as have been read in a row. r.mu is held.
func (r *Reader) window(starts []int64, off, end int64) int {
	from, to := r.course.from, r.course.to
	if !r.course.add(off, end) {
		r.upTo = 0
		return 0
	}
	run := 0
	if from < to {
		run = covering(starts, to-1) - covering(starts, from) + 1
	}
	switch {
	case from > 0 && run < runMin:
		return 0
	case from == 0 && run < runMin:
		run = int(end / segmentMax) // nobody reads a segment to know what kind of file it is
	}
	return min(2*run, windowMax)
}

// makeAhead has up to window segments of n from front on made, as far as the
// reader's share of the budget goes. r.mu is held, or nobody else has r.
func (r *Reader) makeAhead(front, n, window int) {
	share := r.share()
	for i := front; i < min(front+window, n) && share > 0; i++ {
		share -= r.blob.blockSize(i)
		if i < r.upTo {
			continue
		}
		if !r.engine.prefetch(r.blob, i, ahead, mayDrop) {
			return
		}
		r.upTo = i + 1
	}
}

// share is what the reader may have made ahead, and may have waiting to be
// hashed: half of the budget is for that, and belongs to all readers alike.
func (r *Reader) share() int64 {
	return min(r.engine.cache.budget/2/max(r.engine.readers.Load(), 1), windowBytes)
}
