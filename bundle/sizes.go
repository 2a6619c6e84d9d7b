package bundle

import (
	"context"
	"sync/atomic"
	"time"

	"imgexportfs/bundle/blocks"
)

// sizePass finds the lengths of a bundle's deflated segments.
type sizePass struct {
	done    chan struct{}
	err     error // once done is closed
	client  *blocks.Client
	waiting int // callers of Size who wait for it; guarded by Bundle.mu

	name  string
	began time.Time
	total atomic.Int64 // bytes of the segments that have to be made
	made  atomic.Int64 // of which so many are
}

// longPass is how long a pass takes that gets a line in the log.
const longPass = 2 * time.Second

// Size is the exact length of the bundle. If it depends on segments that
// were never deflated, one parallel pass over them finds it; what that makes
// is kept as far as there is room. When ctx ends Size returns, but the pass
// goes on in the background.
func (b *Bundle) Size(ctx context.Context) (int64, error) {
	starts, err := b.offsets(ctx)
	if err != nil {
		return 0, err
	}
	return starts[len(starts)-1], nil
}

// QuickSize reports whether Size would return without reading more than a
// segment.
func (b *Bundle) QuickSize() bool {
	b.mu.Lock()
	known := b.starts != nil || b.broken != nil
	b.mu.Unlock()
	if known {
		return true
	}
	_, unknown := b.knownLengths()
	return len(unknown) <= 1
}

// Prepare finds out what Size will need, when nothing else is to be done, and
// returns early when ctx ends.
func (b *Bundle) Prepare(ctx context.Context) error {
	_, err := b.waitForOffsets(ctx, false)
	return err
}

// offsets returns where each gzip member starts, and the end of the last.
func (b *Bundle) offsets(ctx context.Context) ([]int64, error) { return b.waitForOffsets(ctx, true) }

func (b *Bundle) waitForOffsets(ctx context.Context, urgent bool) ([]int64, error) {
	b.mu.Lock()
	if b.starts != nil || b.broken != nil {
		defer b.mu.Unlock()
		return b.starts, b.broken
	}
	p := b.pass
	if p == nil {
		p = &sizePass{
			done: make(chan struct{}), client: b.engine.queue.NewClient(blocks.Background),
			name: b.name, began: time.Now(),
		}
		b.pass = p
		go b.findOffsets(p)
	}
	if urgent {
		b.addWaiting(p, 1)
		defer func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.addWaiting(p, -1)
		}()
	}
	b.mu.Unlock()
	select {
	case <-p.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p.err != nil {
		return nil, p.err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.starts, b.broken
}

// addWaiting makes the pass as urgent as those who wait for it need. b.mu is held.
func (b *Bundle) addWaiting(p *sizePass, n int) {
	if p.waiting += n; p.waiting > 0 {
		p.client.SetUrgency(blocks.Waiting)
	} else {
		p.client.SetUrgency(blocks.Background)
	}
}

// findOffsets runs the pass.
func (b *Bundle) findOffsets(p *sizePass) {
	b.engine.notePass(p, true)
	defer b.engine.notePass(p, false)
	var starts []int64
	made := 0
	err := blocks.Guarded(b.engine.log, "the size of bundle "+b.name, func() (err error) {
		starts, made, err = b.findLengths(p)
		return err
	})
	b.mu.Lock()
	b.pass = nil
	if p.err = err; err == nil {
		b.starts = starts
	}
	b.mu.Unlock()
	if err == nil && made > 0 {
		b.save()
	}
	took := time.Since(p.began)
	b.engine.counts.notePass(took, err)
	if took > longPass {
		b.engine.log.Info("finding the size of a bundle took long", "image", b.name,
			"bytes", p.made.Load(), "seconds", took.Seconds(), "error", err)
	}
	close(p.done)
}

// findLengths makes every segment whose length is not known, until the first
// error. It returns where the members start and how many it has made.
func (b *Bundle) findLengths(p *sizePass) (starts []int64, made int, err error) {
	lengths, unknown := b.knownLengths()
	for _, i := range unknown {
		p.total.Add(b.segs[i].size())
	}
	err = p.client.Each(context.Background(), len(unknown), func(i int) (err error) {
		lengths[unknown[i]], err = b.measure(unknown[i])
		p.made.Add(b.segs[unknown[i]].size())
		return err
	})
	return startsOf(len(lengths), func(i int) int64 { return lengths[i] }), len(unknown), err
}

// knownLengths returns the length of each member, and which have to be made for
// that.
func (b *Bundle) knownLengths() (lengths []int64, unknown []int) {
	if b.isIndexed() {
		b.loadIndex()
	}
	lengths = make([]int64, len(b.segs))
	for i, seg := range b.segs {
		n, ok := b.engine.index.Length(seg.key)
		switch {
		case seg.stored:
			lengths[i] = b.memberMax(i)
		case ok:
			lengths[i] = n
		default:
			unknown = append(unknown, i)
		}
	}
	return lengths, unknown
}

// measure makes the member of segment i for its length, and keeps it as long as
// there is room: the pass begins with the first segment, and so will a reader.
func (b *Bundle) measure(i int) (int64, error) {
	key := b.segs[i].key
	if n, ok := b.engine.index.Length(key); ok {
		return n, nil // found by somebody else meanwhile
	}
	if b.isCached(i) {
		if n, ok := b.engine.disk.Length(key); ok {
			b.engine.index.PutLength(key, n)
			return n, nil
		}
	}
	sc := b.engine.scratches.get()
	defer b.engine.scratches.put(sc)
	made, err := b.deflated(sc, i)
	if err == nil {
		b.engine.cache.Offer(key, made)
	}
	return int64(len(made)), err
}

// isIndexed reports whether the index file is looked for to find lengths: what there is to
// deflate takes longer than that.
func (b *Bundle) isIndexed() bool {
	left := int64(cachedMin)
	for _, seg := range b.segs {
		if !seg.stored {
			left -= seg.size()
		}
	}
	return left <= 0
}

// loadIndex takes what the index file of this bundle holds into memory, once.
func (b *Bundle) loadIndex() {
	b.load.Do(func() { b.engine.index.Load(b.indexFile) })
}

// save writes what is known of this bundle to the index file, in the background:
// no caller that waits for a size or a checksum waits for a disk.
func (b *Bundle) save() {
	var deflated []blocks.Key
	for _, seg := range b.segs {
		if !seg.stored {
			deflated = append(deflated, seg.key)
		}
	}
	b.engine.save(func() { b.engine.index.Save(b.indexFile, b.whole, deflated) })
}
