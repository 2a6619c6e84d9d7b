package bundle

import (
	"context"
	"fmt"

	"imgexportfs/bundle/blocks"
)

const (
	// sampleSize says how much of a large file is looked at in each place
	// before it is decided how to keep it, and sampleEvery how far apart the
	// places are: a disk image of gigabytes may have little data in it.
	sampleSize  = 64 << 10
	sampleEvery = 64 << 20
	samplesMin  = 4
	samplesMax  = 64
	// storeAbove is the share of its samples' size, in percent, above which
	// deflating a file is not worth the time.
	storeAbove = 95
)

// sampleOffsets are the places in a content of a size: the middle of each
// quarter or smaller part, for the ends of a kernel or an initrd are not like
// the rest.
func sampleOffsets(size int64) []int64 {
	offs := make([]int64, min(max(size/sampleEvery, samplesMin), samplesMax))
	for i := range offs {
		offs[i] = int64(2*i+1) * (size / int64(2*len(offs)))
	}
	return offs
}

// worthStoring reports whether the segments of a large content are stored. It
// decides once for every state of the content.
func (e *Engine) worthStoring(ctx context.Context, c Content) (bool, error) {
	if e.codec.Compression != Auto {
		return e.codec.Compression == Store, nil
	}
	if _, ok := c.(*Tree); ok {
		return false, nil // its blocks are stored for the outer gzip to deflate
	}
	h := newFieldHash("decision")
	c.hashRange(h, 0, c.Size())
	k := blocks.Key(h.sum())
	if stored, ok := e.index.IsStored(k); ok {
		return stored, nil
	}
	stored, err := e.isCompressed(ctx, c)
	if err == nil {
		e.index.PutStored(k, stored)
	}
	return stored, err
}

// isCompressed reports whether a large content is compressed already, judging by
// samples. The answer depends on nothing but the content, so it is the same on
// every host. Somebody waits for it, or may come to: a plan is made once for all.
func (e *Engine) isCompressed(ctx context.Context, c Content) (bool, error) {
	offs := sampleOffsets(c.Size())
	before, after := make([]int64, len(offs)), make([]int64, len(offs))
	err := e.queue.NewClient(blocks.Waiting).Each(ctx, len(offs), func(i int) (err error) {
		before[i], after[i], err = e.sample(c, offs[i])
		return err
	})
	return sum(after)*100 > sum(before)*storeAbove, err
}

// sample returns the size of the sample at off, and what deflating leaves of it.
func (e *Engine) sample(c Content, off int64) (before, after int64, err error) {
	sc := e.scratches.get()
	defer e.scratches.put(sc)
	p := sc.raw[:min(sampleSize, c.Size()-off)]
	if _, err := c.ReadAt(p, off); err != nil {
		return 0, 0, fmt.Errorf("sample of %d bytes at %d: %w", len(p), off, err)
	}
	return int64(len(p)), int64(len(sc.enc.appendMember(sc.made[:0], p, nil))), nil
}

func sum(ns []int64) (total int64) {
	for _, n := range ns {
		total += n
	}
	return total
}
