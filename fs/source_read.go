package fs

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// sourceReads lends memory to reads of sources, to so many at a time. The kernel sends as
// many reads as there are readers who go past its cache, and each may have to keep its
// memory for as long as a source hangs: 256 of them took 289 MiB with --memory 64MiB.
//
// A read that takes longer than readStuckAfter does not count, as in a blocks.Queue, so
// that readers of other sources go on.
type sourceReads struct {
	slots  chan struct{} // holds a token for each read that may begin
	memory sync.Pool     // of *[readSize]byte
}

// readsMax is how many reads count at a time: as many as the kernel sends for readers
// through its cache (go-fuse's MaxBackground).
const readsMax = 12

// readStuckAfter is how long a read may take: many times what the slowest file server
// takes for a megabyte.
const readStuckAfter = 2 * time.Second

func newSourceReads() *sourceReads {
	s := &sourceReads{slots: make(chan struct{}, readsMax), memory: sync.Pool{New: func() any { return new([readSize]byte) }}}
	for range readsMax {
		s.slots <- struct{}{}
	}
	return s
}

// begin returns a read when there may be one more. A read of a source that is stuck anyway
// does not wait, because it will not count for long, and has nothing to put into its
// memory. So many of them hold up no other for longer than the first ones.
func (s *sourceReads) begin(ctx context.Context, stuck func() bool) (*sourceRead, error) {
	r := &sourceRead{reads: s, done: make(chan struct{})}
	select {
	case <-s.slots:
		r.counts.Store(true)
	default:
		if stuck() {
			break
		}
		select {
		case <-s.slots:
			r.counts.Store(true)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if stuck() { // meanwhile
			r.leave()
		}
	}
	r.buf = s.memory.Get().(*[readSize]byte)
	r.users.Store(2)
	return r, nil
}

// sourceRead is one read and what it has found. The read and the request for it each call
// Done: a read that hangs keeps its memory when the request has its answer, so it cannot
// have that of the request.
type sourceRead struct {
	reads  *sourceReads
	buf    *[readSize]byte
	done   chan struct{} // closed when n and err are there
	n      int
	err    error
	users  atomic.Int32
	counts atomic.Bool // it has a slot
}

// run reads.
func (r *sourceRead) run(read func() error) {
	defer r.Done()
	defer close(r.done)
	hangs := time.AfterFunc(readStuckAfter+stuckPoll, r.leave) // when those that wait see that it is stuck
	defer hangs.Stop()
	r.err = read()
}

// leave gives the slot to another read.
func (r *sourceRead) leave() {
	if r.counts.CompareAndSwap(true, false) {
		r.reads.slots <- struct{}{}
	}
}

// wait waits for the read, or until ctx ends.
func (r *sourceRead) wait(ctx context.Context) error {
	soon := time.NewTimer(interruptPoll)
	defer soon.Stop()
	select {
	case <-r.done: // as most are, without a goroutine that watches the caller
		return r.err
	case <-soon.C:
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

var _ = (fuse.ReadResult)((*sourceRead)(nil))

// Bytes returns the data.
func (r *sourceRead) Bytes([]byte) ([]byte, fuse.Status) { return r.buf[:r.n], fuse.OK }

// Slices lets the server write the data as it is. Without this method it calls Done
// before it writes, and another read would have the buffer by then.
func (r *sourceRead) Slices() ([][]byte, fuse.Status) { return [][]byte{r.buf[:r.n]}, fuse.OK }

// Size is the number of bytes.
func (r *sourceRead) Size() int { return r.n }

// Done is called when the kernel has the bytes, and when the read has ended.
func (r *sourceRead) Done() {
	if r.users.Add(-1) == 0 {
		r.reads.memory.Put(r.buf)
		r.leave()
	}
}
