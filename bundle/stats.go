package bundle

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"imgexportfs/bundle/disk"
)

// Stats says what an Engine is busy with, and what it has done since it began.
type Stats struct {
	Budget  int64 // bytes that blocks, plans and trees may take
	Used    int64 // bytes that they take
	Readers int64 // that are open
	Passes  []Pass

	Deflated int64 // segments that were compressed
	Stored   int64 // segments that were made without compression
	Chunks   int64 // pieces of rootimgtree.gz that were made
	Found    int64 // segments and pieces that a reader found made in memory

	Sized        int64 // passes that have ended
	SizingFailed int64 // of which so many without a size
	Sizing       time.Duration

	Disk disk.Stats
}

// Pass is the search for the size of one bundle.
type Pass struct {
	Name  string // of the bundle
	Began time.Time
	Done  int64 // bytes of the tar archive that have been compressed for it
	Total int64 // bytes that have to be
}

// Left is about how long the pass will take from now on; 0 if that is not known.
func (p Pass) Left(now time.Time) time.Duration {
	if p.Done == 0 {
		return 0
	}
	return time.Duration(float64(now.Sub(p.Began)) * float64(p.Total-p.Done) / float64(p.Done))
}

// counts is what an Engine counts.
type counts struct{ deflated, stored, chunks, sized, sizingFailed, sizingNanos atomic.Int64 }

// notePass counts a pass that has ended.
func (c *counts) notePass(took time.Duration, err error) {
	c.sized.Add(1)
	c.sizingNanos.Add(int64(took))
	if err != nil {
		c.sizingFailed.Add(1)
	}
}

// Stats returns what the Engine is busy with. Passes are in the order of their
// beginning.
func (e *Engine) Stats() Stats {
	s := Stats{
		Budget: e.budget.Limit(), Used: e.budget.Used(), Readers: e.readers.Load(),
		Deflated: e.counts.deflated.Load(), Stored: e.counts.stored.Load(), Chunks: e.counts.chunks.Load(),
		Found: e.cache.Found(),
		Sized: e.counts.sized.Load(), SizingFailed: e.counts.sizingFailed.Load(),
		Sizing: time.Duration(e.counts.sizingNanos.Load()),
		Disk:   e.disk.Stats(),
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for p := range e.passes {
		s.Passes = append(s.Passes, Pass{Name: p.name, Began: p.began, Done: p.made.Load(), Total: p.total.Load()})
	}
	slices.SortFunc(s.Passes, func(a, b Pass) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Name, b.Name)) })
	return s
}
