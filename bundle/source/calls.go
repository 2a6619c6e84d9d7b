package source

import (
	"sort"
	"sync"
	"time"
)

// Call is a call of the kernel for a file that has not returned yet.
type Call struct {
	Path  string
	Since time.Time
}

// calls knows which calls are in progress, so that the path of a file server that
// does not answer can be named.
type calls struct {
	mu   sync.Mutex // guards open
	open map[*Call]struct{}
}

// begin notes a call, which ends with the function returned.
func (c *calls) begin(path string) (end func()) {
	_, end = c.beginRow(path)
	return end
}

// beginRow notes calls for one path that follow each other, such as those for all files of
// a directory: next is called between them, so that many calls are not taken for one that
// hangs.
func (c *calls) beginRow(path string) (next, end func()) {
	call := &Call{path, time.Now()}
	c.mu.Lock()
	c.open[call] = struct{}{}
	c.mu.Unlock()
	next = func() {
		now := time.Now()
		c.mu.Lock()
		call.Since = now
		c.mu.Unlock()
	}
	end = func() {
		c.mu.Lock()
		delete(c.open, call)
		c.mu.Unlock()
	}
	return next, end
}

// Stuck returns the calls that have been in progress for longer than a time, the
// longest first.
func (r *Root) Stuck(longer time.Duration) []Call {
	var stuck []Call
	r.calls.mu.Lock()
	defer r.calls.mu.Unlock()
	for call := range r.calls.open {
		if time.Since(call.Since) > longer {
			stuck = append(stuck, *call)
		}
	}
	sort.Slice(stuck, func(i, j int) bool { return stuck[i].Since.Before(stuck[j].Since) })
	return stuck
}
