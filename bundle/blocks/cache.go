package blocks

import (
	"context"
	"sync/atomic"
)

// Key names the bytes of a block: two blocks with one key hold the same bytes,
// whichever bundle asks for them.
type Key [32]byte

// Recipe says how a block is made.
type Recipe struct {
	Key  Key
	Size int64 // a bound of the block's length, which is taken from the budget meanwhile
	Make func() ([]byte, error)
}

// Cache keeps made blocks within a Budget. However many ask for a block at a
// time, it is made once.
type Cache struct {
	budget  *Budget
	queue   *Queue
	recycle func([]byte)
	found   atomic.Int64

	// Guarded by budget.mu.
	blocks map[Key]*Block
	busy   int64 // bytes of blocks that are in use or being made
}

// NewCache returns a cache whose blocks are made by the queue. recycle gets the
// memory of blocks that are dropped; it must return at once.
func NewCache(budget *Budget, queue *Queue, recycle func([]byte)) *Cache {
	return &Cache{budget: budget, queue: queue, recycle: recycle, blocks: map[Key]*Block{}}
}

// Found is how often Get has found a block made.
func (c *Cache) Found() int64 { return c.found.Load() }

// Block is a block that is made, or being made.
type Block struct {
	cache *Cache
	key   Key
	job   *job
	done  chan struct{} // closed when data or err is set
	data  []byte        // does not change
	err   error
	share *Share // its users are those of Get, Peek and Prefetch, and the job
}

// Data is the block's content. It may be read until Release.
func (b *Block) Data() []byte { return b.data }

// Release ends the use of the block, which stays in the cache as long as there
// is room.
func (b *Block) Release() { b.cache.release(b, false) }

// Discard is Release for a block that is quickly made again and not likely to
// be asked for: its memory serves the next block while the processor still has
// it at hand.
func (b *Block) Discard() { b.cache.release(b, true) }

// Get returns a block, made if need be as the client's job. Who holds other
// blocks meanwhile gets memory for this one in any case, beyond the budget if it
// must be; who holds none waits for his turn when the budget is in use by others.
func (c *Cache) Get(ctx context.Context, client *Client, r Recipe, holding bool) (*Block, error) {
	for {
		b, wait := c.acquire(client, r, holding)
		if b != nil {
			return b.wait(ctx)
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *Block) wait(ctx context.Context) (*Block, error) {
	select {
	case <-b.done:
		b.cache.found.Add(1)
	default:
		select {
		case <-b.done:
		case <-ctx.Done():
			b.Release()
			return nil, ctx.Err()
		}
	}
	if b.err != nil {
		b.Release()
		return nil, b.err
	}
	return b, nil
}

// acquire returns the block, whose job is then queued or done, or a channel
// that is closed when it is worth to try again.
func (c *Cache) acquire(client *Client, r Recipe, holding bool) (*Block, <-chan struct{}) {
	c.budget.mu.Lock()
	b := c.use(r.Key)
	if b == nil && !holding && !c.hasRoom(r.Size) && c.busy > int64(c.queue.limit)*r.Size {
		if c.budget.freed == nil {
			c.budget.freed = make(chan struct{})
		}
		defer c.budget.mu.Unlock()
		return nil, c.budget.freed
	}
	created := b == nil
	if created {
		b = c.create(r)
	}
	c.budget.mu.Unlock()
	client.want(b.job, created)
	return b, nil
}

// want has the job of a block run for the client.
func (c *Client) want(j *job, created bool) {
	if created {
		c.submit(j)
	} else {
		c.hurry(j)
	}
}

// Prefetch has a block made as the client's job, if there is room for it
// when idle blocks are dropped. It reports whether the block is there or will be.
func (c *Cache) Prefetch(client *Client, r Recipe) bool {
	c.budget.mu.Lock()
	b := c.use(r.Key)
	created := b == nil
	if created {
		if !c.hasRoom(r.Size) {
			c.budget.mu.Unlock()
			return false
		}
		b = c.create(r)
	}
	c.budget.mu.Unlock()
	client.want(b.job, created)
	b.Release()
	return true
}

// Peek returns a block if it is made.
func (c *Cache) Peek(k Key) (*Block, bool) {
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	b := c.use(k)
	if b == nil {
		return nil, false
	}
	select {
	case <-b.done:
		return b, true
	default:
		c.unuse(b)
		return nil, false
	}
}

// Offer hands in a block that somebody has made anyway. It is kept, copied, if
// there is unused room for it.
func (c *Cache) Offer(k Key, data []byte) {
	size := int64(len(data))
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	if c.blocks[k] != nil || c.budget.used+size > c.budget.limit {
		return
	}
	b := c.create(Recipe{Key: k, Size: size})
	b.data = append(make([]byte, 0, size), data...)
	close(b.done)
	c.unuse(b) // the job, which there is none of
	c.unuse(b)
}

// What follows is called with budget.mu held.

// hasRoom makes room for so many bytes by dropping what is idle, and reports
// whether there is.
func (c *Cache) hasRoom(size int64) bool {
	c.budget.makeRoom(size)
	return c.budget.used+size <= c.budget.limit
}

// use returns the block of a key in use by the caller, or nil.
func (c *Cache) use(k Key) *Block {
	b := c.blocks[k]
	if b == nil {
		return nil
	}
	if b.share.users == 0 {
		c.busy += b.share.cost
	}
	b.share.use()
	return b
}

// create adds a block that is used by the caller and by its job.
func (c *Cache) create(r Recipe) *Block {
	b := &Block{cache: c, key: r.Key, done: make(chan struct{})}
	b.job = &job{
		run:     func() { b.finish(r.Make) },
		dropped: func() { b.finish(func() ([]byte, error) { return nil, ErrClosed }) },
	}
	b.share = c.budget.add(r.Size, func() {
		delete(c.blocks, b.key)
		if b.share.users == 0 {
			c.recycle(b.data)
			b.data = nil
		}
	})
	b.share.users = 2
	c.blocks[r.Key] = b
	c.busy += r.Size
	return b
}

// unuse ends one use.
func (c *Cache) unuse(b *Block) {
	cost := b.share.cost
	b.share.release()
	if b.share.users == 0 {
		c.busy -= cost
	}
}

// The others take budget.mu.

func (c *Cache) release(b *Block, discard bool) {
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	c.unuse(b)
	if discard && b.share.users == 0 {
		b.share.forget()
	}
}

// finish makes the block and wakes those who wait for it. One that failed is
// forgotten, so that the next who asks tries again.
func (b *Block) finish(makeData func() ([]byte, error)) {
	c := b.cache
	var data []byte
	err := Guarded(c.queue.log, "the making of a segment", func() (err error) {
		data, err = makeData()
		return err
	})
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	b.data, b.err = data, err
	grown := int64(cap(data)) - b.share.cost
	c.busy += grown
	b.share.cost += grown
	c.budget.used += grown
	if err != nil {
		b.share.forget()
	}
	c.budget.makeRoom(0)
	close(b.done)
	c.unuse(b)
	c.budget.wake() // the block may be shorter than was thought
}
