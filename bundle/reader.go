package bundle

import (
	"context"
	"sync"

	"imgexportfs/bundle/blocks"
)

// What is made ahead of a reader at most: so many segments, for each takes
// its time however short it is, and so many bytes of the budget.
const (
	windowMax   = 32
	windowBytes = 8 << 20
)

// demandMax is how many segments of one read are asked for before the first of
// them is there.
const demandMax = 8

// directMax is how many blocks a read may touch whose bytes are handed over as
// they are; those of more are copied together. A read of a megabyte mostly touches
// two stored segments (docs/performance.md: cp 282 → 255 ms).
const directMax = 2

// Reader reads a bundle, or rootimgtree.gz, from any offset. It has segments
// made ahead while it is read forward. It is safe for concurrent use, for
// the kernel sends the reads of one file in parallel and in any order.
type Reader struct {
	engine  *Engine
	blob    blob
	bundle  *Bundle        // nil for a tree
	waiting *blocks.Client // of what is asked for
	ahead   *blocks.Client // of what will be

	mu   sync.Mutex // guards what follows
	run  run
	upTo int // segments below have been made ahead in this run
}

// NewReader returns a Reader of the bundle.
func (b *Bundle) NewReader() *Reader {
	r := b.engine.newReader(b)
	r.bundle = b
	return r
}

// NewTreeReader returns a Reader of rootimgtree.gz.
func (e *Engine) NewTreeReader(t *Tree) *Reader { return e.newReader(treeBlob{t, &e.counts.chunks}) }

func (e *Engine) newReader(b blob) *Reader {
	e.readers.Add(1)
	return &Reader{
		engine: e, blob: b,
		waiting: e.queue.NewClient(blocks.Waiting), ahead: e.queue.NewClient(blocks.Ahead),
	}
}

// Close gives the reader's share of the budget to others.
func (r *Reader) Close() { r.engine.readers.Add(-1) }

// Slice is a range of bytes, in one or more pieces. They do not change until
// Release.
type Slice struct {
	Pieces [][]byte
	held   []held
}

// Len is the number of bytes.
func (s *Slice) Len() (n int) {
	for _, p := range s.Pieces {
		n += len(p)
	}
	return n
}

// Release ends the use of the bytes; it must be called once.
func (s *Slice) Release() {
	for _, h := range s.held {
		h.release()
	}
}

// held is a block in use.
type held struct {
	*blocks.Block
	done bool // a sequential reader does not come back to it, and it is quickly made
}

func (h held) release() {
	if h.done {
		h.Discard()
	} else {
		h.Release()
	}
}

// Read returns the len(dest) bytes from off on, or fewer at the end of the file
// and none behind it. They are in dest or in the blocks that hold them.
//
// The error is source.ErrChanged if a source is not what it was, or that of ctx.
func (r *Reader) Read(ctx context.Context, dest []byte, off int64) (*Slice, error) {
	starts, err := r.blob.offsets(ctx)
	if err != nil {
		return nil, err
	}
	end := min(off+int64(len(dest)), starts[len(starts)-1])
	if off >= end {
		return &Slice{}, nil
	}
	first, last := pieceAt(starts, off), pieceAt(starts, end-1)
	r.expect(starts, off, end)
	s, asked := &Slice{}, first
	for p := range pieces(starts, off, end) {
		asked = r.demand(max(asked, p.i), min(last, p.i+demandMax))
		blk, err := r.block(ctx, starts, p.i, len(s.held) > 0)
		if err != nil {
			s.Release()
			return nil, err
		}
		bytes := blk.Data()[p.from:p.to]
		h := held{blk, r.blob.quick(p.i) && p.to == int64(len(blk.Data()))}
		if last-first < directMax {
			s.Pieces, s.held = append(s.Pieces, bytes), append(s.held, h)
			continue
		}
		if s.Pieces == nil {
			s.Pieces = [][]byte{dest[:0]}
		}
		s.Pieces[0] = append(s.Pieces[0], bytes...)
		h.release()
	}
	if r.bundle != nil {
		r.bundle.followHash(last)
	}
	return s, nil
}

// block returns block i for use. Its length is that by which offsets were handed
// out; starts is nil if none were.
func (r *Reader) block(ctx context.Context, starts []int64, i int, holding bool) (*blocks.Block, error) {
	blk, err := r.engine.cache.Get(ctx, r.waiting, r.blob.recipe(i), holding)
	if err != nil {
		return nil, err
	}
	if n := int64(len(blk.Data())); starts != nil && n != starts[i+1]-starts[i] {
		blk.Release()
		return nil, r.blob.wrongLength(i, n)
	}
	return blk, nil
}

// demand has the segments from first to last made for somebody who waits for
// them, as far as there is room, and returns the one behind.
func (r *Reader) demand(first, last int) int {
	for first <= last && r.engine.cache.Prefetch(r.waiting, r.blob.recipe(first)) {
		first++
	}
	return first
}

// expect is told that the bytes from off to end are about to be read. It has the
// segments behind them made if the reader is sequential.
func (r *Reader) expect(starts []int64, off, end int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run.add(off, end) {
		r.upTo = 0
	}
	front, window := r.run.ahead(starts)
	r.makeAhead(front, len(starts)-1, window)
}

// makeAhead has up to window segments of n from front on made, as far as the
// reader's share of the budget goes. r.mu is held, or r is not shared yet.
func (r *Reader) makeAhead(front, n, window int) {
	share := r.share()
	for i := front; i < min(front+window, n) && share > 0; i++ {
		recipe := r.blob.recipe(i)
		share -= recipe.Size
		if i < r.upTo {
			continue
		}
		if !r.engine.cache.Prefetch(r.ahead, recipe) {
			return
		}
		r.upTo = i + 1
	}
}

// share is what the reader may have made ahead: half of the budget is for that,
// and belongs to all readers alike.
func (r *Reader) share() int64 {
	return min(r.engine.budget.Limit()/2/max(r.engine.readers.Load(), 1), windowBytes)
}

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
