package bundle

import (
	"context"
	"crypto/sha256"
)

// summing is a run over the whole bundle to find its hash.
type summing struct {
	done chan struct{}
	err  error
}

// SHA256 returns the hash of the whole bundle, which takes reading it once;
// after that it is remembered. It returns early when ctx ends, and the next
// caller goes on.
func (b *Bundle) SHA256(ctx context.Context) ([32]byte, error) {
	b.recall()
	for {
		if sum, ok := b.engine.index.sum(b.whole); ok {
			return sum, nil
		}
		run, mine := b.joinSumming()
		if mine {
			b.findSum(ctx, run)
			if run.err != nil {
				return [32]byte{}, run.err
			}
			continue
		}
		select {
		case <-run.done:
			// Its reader may have been interrupted; this one was not.
		case <-ctx.Done():
			return [32]byte{}, ctx.Err()
		}
	}
}

// joinSumming returns the run that goes on, or a new one for the caller.
func (b *Bundle) joinSumming() (run *summing, mine bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.summing == nil {
		b.summing, mine = &summing{done: make(chan struct{})}, true
	}
	return b.summing, mine
}

func (b *Bundle) findSum(ctx context.Context, run *summing) {
	h := sha256.New()
	if run.err = b.WriteTo(ctx, h, nil); run.err == nil {
		b.keepSum([32]byte(h.Sum(nil)))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.summing = nil
	close(run.done)
}

// keepSum remembers the hash of the whole bundle.
func (b *Bundle) keepSum(sum [32]byte) {
	b.engine.index.putSum(b.whole, sum)
	b.save()
}

// recall takes what is on the shelf of this bundle, once.
func (b *Bundle) recall() {
	b.recalled.Do(func() { b.engine.index.recall(b.volume) })
}

// saveMin is the number of deflated segments from which a bundle's lengths
// are worth a file.
const saveMin = 4

// save puts on the shelf what is known of this bundle.
func (b *Bundle) save() {
	x := b.engine.index
	v := volume{lengths: map[key]uint32{}, sums: map[key][32]byte{}}
	for i, k := range b.keys {
		if n, ok := x.length(k); ok && !b.stored[i] {
			v.lengths[k] = uint32(n)
		}
	}
	if sum, ok := x.sum(b.whole); ok {
		v.sums[b.whole] = sum
	}
	if len(v.lengths) >= saveMin || len(v.sums) > 0 {
		x.save(b.volume, v)
	}
}
