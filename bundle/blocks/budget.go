package blocks

import (
	"container/list"
	"sync"
)

// Budget is the memory for all that grows with use and can be made again:
// blocks, plans, trees. What is not in use stays as long as there is room, and
// goes when there is none, least recently used first. It is safe for use by
// several goroutines.
type Budget struct {
	mu    sync.Mutex // guards what follows, and the blocks of a Cache
	limit int64
	used  int64
	idle  *list.List    // of *Share that are not in use, least recently used in front
	freed chan struct{} // closed when less is in use; nil if nothing waits for that
}

// NewBudget returns a budget of so many bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit, idle: list.New()} }

// Limit is the size of the budget in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Used is the number of bytes that are taken. It is more than the limit while
// what is in use takes more.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Share is what one thing takes of a budget.
type Share struct {
	budget *Budget
	drop   func()

	// Guarded by budget.mu.
	cost  int64
	users int
	place *list.Element // in budget.idle; nil while somebody uses the thing
	gone  bool
}

// Add takes cost bytes for a thing that the caller uses until Release. drop is
// called when the thing is to be forgotten; it must return at once and may not
// use the budget.
func (b *Budget) Add(cost int64, drop func()) *Share {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.add(cost, drop)
}

func (b *Budget) add(cost int64, drop func()) *Share {
	b.used += cost
	b.makeRoom(0)
	return &Share{budget: b, drop: drop, cost: cost, users: 1}
}

// Use reports whether the thing is still there, and if so keeps it until
// Release.
func (s *Share) Use() bool {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	return s.use()
}

func (s *Share) use() bool {
	if s.gone {
		return false
	}
	if s.users++; s.place != nil {
		s.budget.idle.Remove(s.place)
		s.place = nil
	}
	return true
}

// Release ends one use. A thing that is not in use may be dropped at any time.
func (s *Share) Release() {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	s.release()
}

func (s *Share) release() {
	if s.users--; s.users > 0 {
		return
	}
	if !s.gone {
		s.place = s.budget.idle.PushBack(s)
		s.budget.makeRoom(0)
	}
	s.budget.wake()
}

// Forget drops the thing. Its bytes are given back at once, also while it is in
// use, which does not last long.
func (s *Share) Forget() {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	s.forget()
}

func (s *Share) forget() {
	if s.gone {
		return
	}
	if s.place != nil {
		s.budget.idle.Remove(s.place)
		s.place = nil
	}
	s.gone = true
	s.budget.used -= s.cost
	s.drop()
	s.budget.wake()
}

// wake has those try again who wait for memory.
func (b *Budget) wake() {
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}

// makeRoom drops what is not in use until there is room for so many bytes, or
// nothing is left to drop.
func (b *Budget) makeRoom(size int64) {
	for b.used+size > b.limit && b.idle.Len() > 0 {
		b.idle.Front().Value.(*Share).forget()
	}
}
