package blocks

import (
	"context"
	"errors"
	"fmt"
)

// isDone reports whether a block is made, or has failed.
func (b *Block) isDone() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// report notes a rule that is broken.
func (u *cacheUnderTest) report(format string, args ...any) {
	u.wrong = append(u.wrong, fmt.Sprintf(format, args...))
}

// hasRoomFor reports whether there would be room if all went that is not in use.
func (u *cacheUnderTest) hasRoomFor(size int64) bool {
	return u.budget.used-u.idleBytes()+size <= u.budget.limit
}

// idleBytes is what is in the budget and not in use.
func (u *cacheUnderTest) idleBytes() (n int64) {
	for e := u.budget.idle.Front(); e != nil; e = e.Next() {
		n += e.Value.(*Share).cost
	}
	return n
}

// collect takes the calls of Get that have returned out of those that wait, and looks at
// what they have returned.
func (u *cacheUnderTest) collect() {
	var waiting []*getting
	for _, g := range u.gets {
		if !g.returned {
			waiting = append(waiting, g)
			continue
		}
		switch made := (errMade{}); {
		case g.err == nil:
			u.held = append(u.held, g)
		case errors.Is(g.err, context.Canceled):
			if !g.cancelled {
				u.report("a get of %d is cancelled by itself", g.key)
			}
		case !u.isResult(g.err, &made) || made.key != g.key:
			u.report("a get of %d ends with %v", g.key, g.err)
		case u.ended == nil || made.serial != u.ended.serial:
			u.report("a get of %d ends with the old error %v", g.key, g.err)
		}
	}
	u.gets = waiting
}

// isResult reports whether err is that of a making, also one that has panicked.
func (u *cacheUnderTest) isResult(err error, made *errMade) bool {
	var panicked ErrPanic
	if errors.As(err, &panicked) {
		value, ok := panicked.Value.(errMade)
		*made = value
		return ok
	}
	return errors.As(err, made)
}

// check holds the cache to its rules between two steps, when nothing moves.
func (u *cacheUnderTest) check() {
	u.budget.mu.Lock()
	defer u.budget.mu.Unlock()
	u.checkWaiting()
	u.checkBlocks()
	u.checkBudget()
}

// checkWaiting looks for calls of Get and makings that wait without a reason.
func (u *cacheUnderTest) checkWaiting() {
	for _, g := range u.gets {
		b, size := u.blocks[u.key(g.key)], int64(u.sizes[g.key])
		switch {
		case g.cancelled:
			u.report("a cancelled get of %d waits", g.key)
		case b != nil && b.isDone():
			u.report("a get of %d waits for a block that is there", g.key)
		case b == nil && (g.holding || u.hasRoomFor(size) || u.busy <= int64(u.queue.limit)*size):
			u.report("a get of %d waits for memory: it holds other blocks: %v, there is room: %v, %d bytes are busy",
				g.key, g.holding, u.hasRoomFor(size), u.busy)
		}
	}
	wanted := 0
	for _, b := range u.blocks {
		if !b.isDone() {
			wanted++
		}
	}
	if n, want := len(u.makings), min(wanted, u.queue.limit); n != want {
		u.report("%d blocks are being made, want %d: %d are wanted, there are %d workers", n, want, wanted, u.queue.limit)
	}
}

// checkBlocks looks at the bytes of the blocks and by whom they are used.
func (u *cacheUnderTest) checkBlocks() {
	users, late := map[*Block]int{}, map[*Block]int{}
	for _, g := range u.held {
		users[g.block]++
		if !isBlock(g.block.Data(), g.key, u.good[g.key]) {
			u.report("a block %d in use has other bytes", g.key)
		}
	}
	for _, g := range u.gets {
		switch b := u.blocks[u.key(g.key)]; {
		case b == nil:
			g.starved = true
		case g.starved: // it may not have been woken since another one had the block made
			late[b]++
		default:
			users[b]++
		}
	}
	for i := range u.keys {
		b := u.blocks[u.key(i)]
		if b == nil {
			delete(u.beyond, i)
			continue
		}
		want := users[b]
		if !b.isDone() {
			want++ // its job
		} else if !isBlock(b.data, i, u.good[i]) {
			u.report("block %d in the cache has other bytes", i)
		}
		if b.share.users < want || b.share.users > want+late[b] {
			u.report("block %d has %d users, want %d to %d", i, b.share.users, want, want+late[b])
		}
	}
}

// checkBudget adds up what is taken. More than the limit can only be what is in use: of
// blocks one more than there are workers, those for callers that hold others, and what
// has needed more memory than was asked for.
func (u *cacheUnderTest) checkBudget() {
	var used, busy, beyond, largest int64
	for i, size := range u.sizes {
		largest = max(largest, int64(size))
		b := u.blocks[u.key(i)]
		if b == nil {
			continue
		}
		used += b.share.cost
		if b.share.users == 0 {
			continue
		}
		busy += b.share.cost
		if u.beyond[i] {
			beyond += b.share.cost
		} else {
			beyond += max(0, b.share.cost-int64(size))
		}
	}
	for _, f := range u.foreign {
		if !f.dropped {
			used += f.cost
		}
	}
	if used != u.budget.used || busy != u.busy {
		u.report("%d bytes are taken, and %d are said to be; %d are in use, and %d are said to be", used, u.budget.used, busy, u.busy)
	}
	if u.budget.used > u.budget.limit && u.budget.idle.Len() > 0 {
		u.report("%d bytes of %d are taken, although %d are not in use", u.budget.used, u.budget.limit, u.idleBytes())
	}
	if allowed := max(u.budget.limit, int64(u.queue.limit+1)*largest) + beyond; busy > allowed {
		u.report("blocks in use take %d bytes, want at most %d", busy, allowed)
	}
}
