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

	mu     sync.Mutex // guards what follows
	next   int        // the segment to be handed in next
	blocks chan *block
	ended  bool // no more blocks are taken
}

// tallyBacklog is how many segments a tally may be behind its reader.
const tallyBacklog = 8

// newTally returns a tally, or nil if the hash is known.
func newTally(b *Bundle) *tally {
	b.recall()
	if _, known := b.engine.index.sum(b.whole); known {
		return nil
	}
	return &tally{bundle: b}
}

// add hands in a segment that the reader has a reference to. A nil tally takes
// nothing.
func (t *tally) add(i int, blk *block) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ended || i < t.next:
		return // seen
	case i > t.next+windowMax:
		t.stop() // the reader is skipping
		return
	case i > t.next:
		return // reads come in any order; the rest of this segment will come too
	}
	if t.blocks == nil {
		t.blocks = make(chan *block, tallyBacklog)
		go t.run()
	}
	t.bundle.engine.cache.hold(blk)
	select {
	case t.blocks <- blk:
		t.next++
	default:
		t.bundle.engine.cache.release(blk)
		t.stop()
		return
	}
	if t.next == len(t.bundle.segs) {
		t.stop()
	}
}

// close ends the tally when the reader goes away.
func (t *tally) close() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop()
}

// stop takes no more blocks; t.mu is held.
func (t *tally) stop() {
	if !t.ended && t.blocks != nil {
		close(t.blocks)
	}
	t.ended = true
}

// run hashes what is handed in.
func (t *tally) run() {
	h := sha256.New()
	n := 0
	for blk := range t.blocks {
		_, _ = h.Write(blk.data)
		t.bundle.engine.cache.release(blk)
		n++
	}
	if n == len(t.bundle.segs) {
		t.bundle.keepSum([32]byte(h.Sum(nil)))
	}
}
