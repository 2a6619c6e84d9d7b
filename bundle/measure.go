package bundle

import (
	"context"
	"errors"
	"sync"
)

// measuring is a pass that finds the lengths of a bundle's deflated segments.
type measuring struct {
	done chan struct{}
	err  error

	mu   sync.Mutex // guards what follows
	at   priority   // of the most urgent of those who wait for the pass
	jobs []*job
}

// submit has a job of the pass run.
func (m *measuring) submit(w *workers, j *job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.jobs = append(m.jobs, j)
	w.submit(j, m.at)
}

// hurry makes the pass as urgent as at.
func (m *measuring) hurry(w *workers, at priority) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at >= m.at {
		return
	}
	m.at = at
	for _, j := range m.jobs {
		w.hurry(j, at)
	}
}

// Size is the exact length of the bundle. Where it depends on segments that
// were never deflated, one parallel pass over them finds it; what that makes
// is kept as far as there is room. When ctx ends Size returns, but the pass
// goes on for the next who asks.
func (b *Bundle) Size(ctx context.Context) (int64, error) {
	starts, err := b.offsetsAt(ctx, sizing)
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
	missing := 0
	for i := range b.segs {
		if _, ok := b.knownLength(i); !ok {
			missing++
		}
	}
	return missing <= 1
}

// Prepare finds out what Size will need, while nobody waits for anything
// else, and stops when ctx ends.
func (b *Bundle) Prepare(ctx context.Context) error {
	_, err := b.offsetsAt(ctx, idle)
	return err
}

// offsets returns where each gzip member starts, and the end of the last.
func (b *Bundle) offsets(ctx context.Context) ([]int64, error) { return b.offsetsAt(ctx, sizing) }

func (b *Bundle) offsetsAt(ctx context.Context, at priority) ([]int64, error) {
	b.mu.Lock()
	if b.starts != nil || b.broken != nil {
		defer b.mu.Unlock()
		return b.starts, b.broken
	}
	run := b.sizing
	if run == nil {
		run = &measuring{done: make(chan struct{}), at: at}
		b.sizing = run
		go b.measure(run)
	}
	b.mu.Unlock()
	run.hurry(b.engine.workers, at)
	select {
	case <-run.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if run.err != nil {
		return nil, run.err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.starts, nil
}

func (b *Bundle) measure(run *measuring) {
	starts, found, err := b.findLengths(run)
	if err == nil && found > 0 {
		b.save()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sizing = nil
	if run.err = err; err == nil {
		b.starts = starts
	}
	close(run.done)
}

// findLengths has every segment made whose length is not known, and returns
// where the members start and how many there were to make.
func (b *Bundle) findLengths(run *measuring) (starts []int64, made int, err error) {
	var all sync.WaitGroup
	lengths := make([]int64, len(b.segs))
	errs := make([]error, len(b.segs))
	for i := range b.segs {
		var known bool
		if lengths[i], known = b.knownLength(i); known {
			continue
		}
		made++
		all.Add(1)
		run.submit(b.engine.workers, &job{run: func(w *worker) {
			defer all.Done()
			lengths[i], errs[i] = b.measureOne(w, i)
		}})
	}
	all.Wait()
	starts = make([]int64, len(b.segs)+1)
	for i, n := range lengths {
		starts[i+1] = starts[i] + n
	}
	return starts, made, errors.Join(errs...)
}

// knownLength returns the length of segment i if it need not be made for it.
func (b *Bundle) knownLength(i int) (int64, bool) {
	if b.stored[i] {
		return storedMemberSize(b.segs[i].size(), b.planOf(i)), true
	}
	if n, ok := b.engine.index.length(b.keys[i]); ok {
		return n, true
	}
	b.recall()
	return b.engine.index.length(b.keys[i])
}

// measureOne makes segment i for its length. What it makes is kept as long
// as there is room; as the pass begins with the first segment, so will the
// reader.
func (b *Bundle) measureOne(w *worker, i int) (int64, error) {
	if n, ok := b.engine.index.length(b.keys[i]); ok {
		return n, nil // found out while this job was waiting
	}
	blk, created := b.engine.acquire(b, i, ifThereIsRoom)
	if blk != nil {
		defer b.engine.cache.release(blk)
	}
	if created {
		blk.job.run(w)
		return int64(len(blk.data)), blk.err
	}
	if blk != nil && blk.isMade() {
		return int64(len(blk.data)), nil
	}
	// Without room, or while another worker makes the same segment.
	made, err := b.member(w, i, w.made)
	return int64(len(made)), err
}
