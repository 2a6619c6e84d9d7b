package bundle

import (
	"container/list"
	"sync"
)

// key names the bytes of a block: two blocks with one key hold the same
// bytes, whichever bundle asked for them.
type key [32]byte

// block is a made segment, or one that is being made. Its data does not
// change and may be read by any goroutine between acquire and release.
type block struct {
	key  key
	done chan struct{} // closed when data or err is set
	data []byte
	err  error
	job  *job // that makes it

	// Guarded by cache.mu.
	cost int64         // bytes taken from the budget
	refs int           // users and the job, who keep the block from being dropped
	idle *list.Element // in cache.idle while nobody uses the block
}

// maker makes the data of a block, which nobody else keeps.
type maker func(w *worker) ([]byte, error)

func newBlock(k key) *block { return &block{key: k, done: make(chan struct{})} }

// isMade reports whether the block's data is there.
func (b *block) isMade() bool {
	select {
	case <-b.done:
		return b.err == nil
	default:
		return false
	}
}

// cache keeps made blocks within a budget of bytes, least recently used ones
// dropped first.
type cache struct {
	mu     sync.Mutex
	blocks map[key]*block
	idle   *list.List // of *block, least recently used in front
	used   int64
	budget int64
}

func newCache(budget int64) *cache {
	return &cache{blocks: map[key]*block{}, idle: list.New(), budget: budget}
}

// claim says how far a new block may go to get its share of the budget.
type claim int

const (
	mustHave      claim = iota // beyond the budget if it must be: somebody waits
	mayDrop                    // drop idle blocks
	ifThereIsRoom              // leave what there is
)

// acquire returns the block of k for use. If it has just been created, its
// job, which runs make, is for the caller to submit. It returns nil when
// there is no block yet and the claim gets none of the given size.
func (c *cache) acquire(k key, size int64, by claim, make maker) (b *block, created bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.blocks[k]; b != nil {
		c.use(b)
		return b, false
	}
	if c.used+size > c.budget && by == ifThereIsRoom {
		return nil, false
	}
	for c.used+size > c.budget && c.idle.Len() > 0 {
		c.drop(c.idle.Front().Value.(*block))
	}
	if c.used+size > c.budget && by != mustHave {
		return nil, false
	}
	b = newBlock(k)
	b.cost, b.refs = size, 2 // the caller and the job
	b.job = &job{run: func(w *worker) {
		data, err := make(w)
		c.finish(b, data, err)
	}}
	c.blocks[k] = b
	c.used += size
	return b, true
}

// use takes a reference; c.mu is held.
func (c *cache) use(b *block) {
	b.refs++
	if b.idle != nil {
		c.idle.Remove(b.idle)
		b.idle = nil
	}
}

// hold takes another reference to a block in use.
func (c *cache) hold(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.use(b)
}

// release gives a reference back.
func (c *cache) release(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unuse(b)
}

// discard is release for a block that is quickly made again and not likely to be
// asked for: its memory serves the next one while the processor still has it
// at hand.
func (c *cache) discard(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unuse(b)
	if b.idle != nil {
		c.drop(b)
	}
}

// unuse gives a reference back; c.mu is held.
func (c *cache) unuse(b *block) {
	if b.refs--; b.refs == 0 && c.blocks[b.key] == b {
		b.idle = c.idle.PushBack(b)
		c.shrink()
	}
}

// finish is the end of a block's job: it hands in what came of it and wakes
// those who wait. A block that failed is forgotten, so that the next reader tries again.
func (c *cache) finish(b *block, data []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b.data, b.err = data, err
	if err != nil {
		c.forget(b)
	} else {
		c.used += int64(len(data)) - b.cost
		b.cost = int64(len(data))
	}
	close(b.done)
	c.unuse(b)
}

// shrink gives back what went beyond the budget; c.mu is held.
func (c *cache) shrink() {
	for c.used > c.budget && c.idle.Len() > 0 {
		c.drop(c.idle.Front().Value.(*block))
	}
}

// drop removes an idle block; c.mu is held.
func (c *cache) drop(b *block) {
	c.idle.Remove(b.idle)
	b.idle = nil
	c.forget(b)
	if cap(b.data) == bufferSize {
		putRaw(b.data)
	}
	b.data = nil
}

// forget takes a block out of the account; c.mu is held.
func (c *cache) forget(b *block) {
	delete(c.blocks, b.key)
	c.used -= b.cost
	b.cost = 0
}
