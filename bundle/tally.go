package bundle

import (
	"crypto/sha256"
	"sync"
)

// tally finds the hash of a bundle while somebody reads it from start to end.
// It takes the segments that the reader has got anyway, and only as long as it
// keeps up: who reads does not wait for it.
type tally struct {
	bundle *Bundle

	mu      sync.Mutex     // guards what follows
	more    *sync.Cond     // a segment has come, or ended was set
	waiting map[int]*block // handed in and not hashed: reads overtake each other
	bytes   int64          // of those waiting
	next    int            // the segment to be taken next
	started bool           // somebody hashes
	ended   bool           // no more segments are taken
}

// newTally returns a tally, or nil if the hash is known.
func newTally(b *Bundle) *tally {
	b.recall()
	if _, known := b.engine.index.sum(b.whole); known {
		return nil
	}
	t := &tally{bundle: b, waiting: map[int]*block{}}
	t.more = sync.NewCond(&t.mu)
	return t
}

// add hands in a segment that the reader has a reference to. Segments may
// come in any order and more than once, as long as those that wait take no more
// than room bytes; one may always wait. A nil tally takes nothing.
func (t *tally) add(i int, blk *block, room int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || i < t.next || t.waiting[i] != nil {
		return
	}
	starved := t.waiting[t.next] == nil && i > t.next+windowMax // the reader skips
	if starved || len(t.waiting) > 0 && t.bytes+int64(len(blk.data)) > room {
		t.giveUp()
		return
	}
	t.bundle.engine.cache.hold(blk)
	t.waiting[i] = blk
	t.bytes += int64(len(blk.data))
	if !t.started {
		t.started = true
		go t.run()
	}
	t.more.Signal()
}

// close ends the tally when the reader goes away. What has been handed in is
// hashed still.
func (t *tally) close() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.more.Signal()
}

// giveUp ends the tally without a hash; t.mu is held.
func (t *tally) giveUp() {
	for _, blk := range t.waiting {
		t.bundle.engine.cache.release(blk)
	}
	clear(t.waiting)
	t.ended = true
	t.more.Signal()
}

// run hashes what is handed in.
func (t *tally) run() {
	h := sha256.New()
	for blk := t.take(); blk != nil; blk = t.take() {
		_, _ = h.Write(blk.data)
		t.bundle.engine.cache.release(blk)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == len(t.bundle.segs) {
		t.bundle.keepSum([32]byte(h.Sum(nil)))
	}
	t.giveUp()
}

// take waits for the next segment; nil means that there is none to come.
func (t *tally) take() *block {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.waiting[t.next] == nil && !t.ended && t.next < len(t.bundle.segs) {
		t.more.Wait()
	}
	blk := t.waiting[t.next]
	if blk != nil {
		delete(t.waiting, t.next)
		t.next++
		t.bytes -= int64(len(blk.data))
	}
	return blk
}
