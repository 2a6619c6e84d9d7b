package bundle

import (
	"errors"
	"fmt"
	"sync"
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

// compressed reports whether a large content is compressed already, judging by
// samples, which the workers take at once: somebody waits to see the bundle, or
// may come to, also where the plan is made ahead of time.
// The answer depends on nothing but the content, so it is the same on every
// host.
func (p *workers) compressed(c Content) (bool, error) {
	offs := sampleOffsets(c.Size())
	before, after, errs := make([]int64, len(offs)), make([]int64, len(offs)), make([]error, len(offs))
	var all sync.WaitGroup
	all.Add(len(offs))
	for i, off := range offs {
		p.submit(&job{run: func(w *worker) {
			defer all.Done()
			before[i], after[i], errs[i] = w.sample(c, off)
		}}, demanded)
	}
	all.Wait()
	return sum(after)*100 > sum(before)*storeAbove, errors.Join(errs...)
}

// sample returns the size of the sample at off, and what deflating leaves of it.
func (w *worker) sample(c Content, off int64) (before, after int64, err error) {
	p := w.raw[:min(sampleSize, c.Size()-off)]
	if _, err := c.ReadAt(p, off); err != nil {
		return 0, 0, fmt.Errorf("sample of %d bytes at %d: %w", len(p), off, err)
	}
	return int64(len(p)), int64(len(w.enc.appendMember(w.made[:0], p, nil, false))), nil
}

func sum(ns []int64) (total int64) {
	for _, n := range ns {
		total += n
	}
	return total
}
