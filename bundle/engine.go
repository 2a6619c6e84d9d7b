package bundle

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"imgexportfs/bundle/blocks"
)

// DefaultMemory is the budget for made segments if none is asked for.
const DefaultMemory = 256 << 20

// EngineOptions are the limits of an Engine.
type EngineOptions struct {
	Memory  int64 // bytes of made segments that are kept; 0 means DefaultMemory
	Workers int   // goroutines that make segments; 0 means one per core

	Codec Codec

	// CacheDir is where is kept what took long to find out; "" keeps it in
	// memory only. Warn is told once if that cannot be done.
	CacheDir string
	Warn     func(error)
}

// Engine makes the segments of all bundles of a process: one pool of workers,
// one budget of memory, one maker per segment however many wait for it.
type Engine struct {
	codec   Codec
	workers *workers
	cache   *cache
	budget  *blocks.Budget
	index   *index
	readers atomic.Int64 // open Readers, who share the budget
}

// NewEngine starts the workers.
func NewEngine(opts EngineOptions) (*Engine, error) {
	if opts.Memory < 0 || opts.Workers < 0 {
		return nil, fmt.Errorf("engine: negative limits %+v", opts)
	}
	if opts.Memory == 0 {
		opts.Memory = DefaultMemory
	}
	if opts.Workers == 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	codec, err := opts.Codec.checked()
	if err != nil {
		return nil, err
	}
	workers, err := newWorkers(opts.Workers, codec)
	if err != nil {
		return nil, err
	}
	return &Engine{codec: codec, workers: workers, cache: newCache(opts.Memory), budget: blocks.NewBudget(opts.Memory), index: newIndex(openShelf(opts.CacheDir, opts.Warn))}, nil
}

// Close stops the workers, when nobody uses the engine any more: whoever still
// waits for a segment waits until his context ends, and a bundle that is being
// planned may never be.
func (e *Engine) Close() { e.workers.close() }

// Stats says what an Engine is busy with.
type Stats struct {
	Budget  int64 // bytes that made segments may take
	Used    int64 // bytes that they take
	Readers int64 // that are open
}

// Stats returns what the Engine is busy with.
func (e *Engine) Stats() Stats {
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	return Stats{Budget: e.cache.budget, Used: e.cache.used, Readers: e.readers.Load()}
}

// blob is a file that consists of blocks, one after the other.
type blob interface {
	// blockKey names the bytes of block i.
	blockKey(i int) key
	// blockSize is the length of block i, or a bound if it is not known.
	blockSize(i int) int64
	// quick reports whether block i is made as fast as it is copied.
	quick(i int) bool
	// makeBlock makes block i, in memory that nobody else keeps.
	makeBlock(w *worker, i int) ([]byte, error)
	// offsets returns where each block starts, and the end of the last.
	// It may have to find that out.
	offsets(ctx context.Context) ([]int64, error)
}

// get returns block i of b, made if need be. The caller releases it.
func (e *Engine) get(ctx context.Context, b blob, i int) (*block, error) {
	blk, created := e.acquire(b, i, mustHave)
	if created {
		e.workers.submit(blk.job, demanded)
	} else {
		e.workers.hurry(blk.job, demanded)
	}
	select {
	case <-blk.done:
	case <-ctx.Done():
		e.cache.release(blk)
		return nil, ctx.Err()
	}
	if blk.err != nil {
		e.cache.release(blk)
		return nil, blk.err
	}
	return blk, nil
}

// prefetch has block i of b made if the claim gets room for it, and reports
// whether it is there or will be.
func (e *Engine) prefetch(b blob, i int, at priority, by claim) bool {
	blk, created := e.acquire(b, i, by)
	if blk == nil {
		return false
	}
	if created {
		e.workers.submit(blk.job, at)
	} else {
		e.workers.hurry(blk.job, at)
	}
	e.cache.release(blk)
	return true
}

func (e *Engine) acquire(b blob, i int, by claim) (*block, bool) {
	return e.cache.acquire(b.blockKey(i), b.blockSize(i), by, func(w *worker) ([]byte, error) { return b.makeBlock(w, i) })
}

// Budget is the memory that is shared by all that can be made again.
func (e *Engine) Budget() *blocks.Budget { return e.budget }
