package disk

import "sync/atomic"

// Stats are a Cache's size and what it has done. They are zero if there is none.
type Stats struct {
	Dir     string // "" if nothing is cached on disk
	Limit   int64  // bytes that the files may take
	Used    int64  // bytes that they take, as far as this process knows
	Found   int64  // segments that were read from the disk
	Written int64  // segments that were written
	Failed  int64  // writes that failed
}

// counts is what any goroutine may read of a Cache while it works.
type counts struct{ limit, used, found, written, failed atomic.Int64 }

// show publishes the account, which belongs to the goroutine that writes.
func (c *counts) show(a account) {
	c.limit.Store(a.limit)
	c.used.Store(a.used)
}

// Stats returns the cache's size and what it has done.
func (c *Cache) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	return Stats{
		Dir: c.dir, Limit: c.counts.limit.Load(), Used: c.counts.used.Load(),
		Found: c.counts.found.Load(), Written: c.counts.written.Load(), Failed: c.counts.failed.Load(),
	}
}
