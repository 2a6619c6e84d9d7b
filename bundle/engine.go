package bundle

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/disk"
	"imgexportfs/bundle/index"
)

// DefaultMemory is the budget if none is asked for.
const DefaultMemory = 256 << 20

// DefaultCacheSize is how much of the disk cached segments should take if nothing
// else is asked for.
const DefaultCacheSize = 5 << 30

// EngineOptions are the limits of an Engine.
type EngineOptions struct {
	Memory  int64 // bytes of blocks, plans and trees that are kept; 0 means DefaultMemory
	Workers int   // segments that are made at a time; 0 means one per core

	Codec Codec

	// CacheDir is the directory for cached sizes and checksums, and for cached
	// segments, which may take CacheSize bytes; 0 caches none, and "" all in memory
	// only. Warn is told once of each that cannot be used.
	CacheDir  string
	CacheSize int64
	Warn      func(error)

	Log *slog.Logger // is told of panics; nil = the default logger
}

// Engine makes the segments of all bundles of a process: one queue of work,
// one budget of memory, and each segment made once however many wait for it.
type Engine struct {
	codec     Codec
	log       *slog.Logger
	budget    *blocks.Budget
	queue     *blocks.Queue
	cache     *blocks.Cache
	scratches *scratches
	index     *index.Index
	disk      *disk.Cache
	counts    counts

	mu      sync.Mutex // guards what follows
	closed  bool
	passes  map[*sizePass]struct{} // that find sizes now
	saving  sync.WaitGroup         // writes of index files
	readers atomic.Int64           // open Readers, who share the budget
}

// NewEngine returns an engine.
func NewEngine(opts EngineOptions) (*Engine, error) {
	if opts.Memory < 0 || opts.Workers < 0 || opts.CacheSize < 0 {
		return nil, fmt.Errorf("engine: negative limits %+v", opts)
	}
	if opts.Memory == 0 {
		opts.Memory = DefaultMemory
	}
	if opts.Workers == 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	codec, err := opts.Codec.checked()
	if err != nil {
		return nil, err
	}
	budget, queue := blocks.NewBudget(opts.Memory), blocks.NewQueue(opts.Workers, opts.Log)
	return &Engine{
		codec: codec, log: opts.Log, budget: budget, queue: queue,
		cache:     blocks.NewCache(budget, queue, putBuffer),
		scratches: newScratches(codec, opts.Workers),
		passes:    map[*sizePass]struct{}{},
		index:     index.Open(opts.CacheDir, opts.Warn),
		disk: disk.Open(disk.Options{
			Dir: opts.CacheDir, Size: opts.CacheSize, Warn: opts.Warn, Get: getBuffer, Put: putBuffer,
		}),
	}, nil
}

// Close waits for the segments that are being made, and until what has been
// found is written. After that no segment is made any more: blocks.ErrClosed.
func (e *Engine) Close() {
	e.queue.Close()
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.saving.Wait()
	e.disk.Close()
}

// save runs write in the background, unless the engine is closed.
func (e *Engine) save(write func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.saving.Go(write)
	}
}

// Budget is the memory that is shared by all that can be made again.
func (e *Engine) Budget() *blocks.Budget { return e.budget }

// notePass notes that a pass has begun or ended.
func (e *Engine) notePass(p *sizePass, runs bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if runs {
		e.passes[p] = struct{}{}
	} else {
		delete(e.passes, p)
	}
}

// blob is a file that consists of blocks, one after the other.
type blob interface {
	// recipe says how block i is made.
	recipe(i int) blocks.Recipe
	// quick reports whether block i is made as fast as it is copied.
	quick(i int) bool
	// offsets returns where each block starts, and the end of the last.
	// It may have to find that out.
	offsets(ctx context.Context) ([]int64, error)
	// wrongLength is told that block i has n bytes, which is not what offsets
	// says, and returns the error for the reader.
	wrongLength(i int, n int64) error
}
