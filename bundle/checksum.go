package bundle

import (
	"context"
	"crypto/sha256"
	"hash"
	"sync/atomic"

	"imgexportfs/bundle/blocks"
)

// prefixHash is the hash of a bundle as far as it has been found: of the
// members before next. One caller at a time goes on with it.
type prefixHash struct {
	turn chan struct{} // of capacity 1; a token in it is the turn

	// Guarded by turn.
	sha  hash.Hash // nil at first
	next int

	// Of readers, which leave word here when they cannot have the turn.
	upTo  atomic.Int64 // the last block that one has got
	reads atomic.Uint64
}

// SHA256 returns the hash of the whole bundle, for which all of it is made once;
// after that it is remembered. When ctx ends so does the work, and the next
// caller goes on from there. Readers and sizes come first.
func (b *Bundle) SHA256(ctx context.Context) ([32]byte, error) {
	b.loadIndex()
	select {
	case b.hash.turn <- struct{}{}:
		defer func() { <-b.hash.turn }()
	case <-ctx.Done():
		return [32]byte{}, ctx.Err()
	}
	if sum, ok := b.engine.index.Sum(b.whole); ok {
		return sum, nil
	}
	client := b.engine.queue.NewClient(blocks.Ahead)
	for b.hash.next < len(b.segs) {
		for i := range b.engine.queue.Limit() { // no more, for it is made even when ctx has ended
			if i += b.hash.next + 1; i < len(b.segs) {
				b.engine.cache.Prefetch(client, b.recipe(i))
			}
		}
		blk, err := b.engine.cache.Get(ctx, client, b.recipe(b.hash.next), false)
		if err != nil {
			return [32]byte{}, err
		}
		b.addToHash(blk, b.quick(b.hash.next))
	}
	return [32]byte(b.hash.sha.Sum(nil)), nil
}

// addToHash takes in the next block; the caller has the turn.
func (b *Bundle) addToHash(blk *blocks.Block, discard bool) {
	if b.hash.sha == nil {
		b.hash.sha = sha256.New()
	}
	_, _ = b.hash.sha.Write(blk.Data())
	held{blk, discard}.release()
	if b.hash.next++; b.hash.next == len(b.segs) {
		b.engine.index.PutSum(b.whole, [32]byte(b.hash.sha.Sum(nil)))
		b.save()
	}
}

// followHash goes on with the hash while somebody reads the bundle, as far as
// block upTo and as long as the next block is still in the cache. So the checksum
// of a deflated bundle costs nothing after a copy. It does not wait.
func (b *Bundle) followHash(upTo int) {
	if _, known := b.engine.index.Sum(b.whole); known {
		return
	}
	for old := b.hash.upTo.Load(); old < int64(upTo) && !b.hash.upTo.CompareAndSwap(old, int64(upTo)); {
		old = b.hash.upTo.Load()
	}
	b.hash.reads.Add(1)
	if b.hash.tryTurn() {
		go b.hashWhatIsRead()
	}
}

func (h *prefixHash) tryTurn() bool {
	select {
	case h.turn <- struct{}{}:
		return true
	default:
		return false
	}
}

// hashWhatIsRead takes in what readers have got; the caller has the turn. It is
// given up only when there is no word of a later read.
func (b *Bundle) hashWhatIsRead() {
	for {
		reads := b.hash.reads.Load()
		for int64(b.hash.next) <= b.hash.upTo.Load() {
			blk, ok := b.engine.cache.Peek(b.segs[b.hash.next].key)
			if !ok {
				break
			}
			b.addToHash(blk, false)
		}
		<-b.hash.turn
		if b.hash.reads.Load() == reads || !b.hash.tryTurn() {
			return
		}
	}
}
