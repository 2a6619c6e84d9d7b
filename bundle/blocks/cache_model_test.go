package blocks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// making is one making of a block. It goes on until the script ends it.
type making struct {
	key, serial int
	end         chan error // nil: it goes well
}

// errMade is the error of one making; each has its own.
type errMade struct{ key, serial int }

func (e errMade) Error() string {
	return fmt.Sprintf("making %d, of block %d, failed", e.serial, e.key)
}

// errMakingPanics has a making panic.
var errMakingPanics = errors.New("panic")

// getting is a call of Get.
type getting struct {
	key       int
	holding   bool
	cancel    context.CancelFunc
	cancelled bool
	starved   bool // it was seen to wait for memory

	// Set when it has returned.
	returned bool
	block    *Block
	err      error
}

// cacheUnderTest is a Cache that one script drives, a step at a time. What must be true
// between the steps is in cache_rules_test.go.
type cacheUnderTest struct {
	*Cache
	random  *rand.Rand
	keys    int
	sizes   []int // the bound of each block
	clients []*Client
	foreign []*foreignShare // what others have of the budget

	mu       sync.Mutex // guards what follows, which makings use
	makings  []*making  // in progress
	serial   int
	wrong    []string
	recycled map[*byte]bool

	gets []*getting // that have not returned
	held []*getting // whose block is in use

	// What the step has done.
	ended  *making
	result error // of the making that has ended

	good   map[int]int  // serial of the last making of each key that went well
	beyond map[int]bool // keys whose block was created for a caller that holds others
}

// foreignShare is something in the budget that is no block.
type foreignShare struct {
	*Share
	users   int
	dropped bool
}

func newCacheUnderTest(random *rand.Rand) *cacheUnderTest {
	u := &cacheUnderTest{
		random: random, keys: 2 + random.IntN(8),
		recycled: map[*byte]bool{}, good: map[int]int{}, beyond: map[int]bool{},
	}
	for range u.keys {
		u.sizes = append(u.sizes, 500+random.IntN(1000))
	}
	q := NewQueue(1+random.IntN(3), slog.New(slog.DiscardHandler))
	u.Cache = NewCache(NewBudget(1+int64(random.IntN(8000))), q, u.recycle)
	for range 1 + random.IntN(4) {
		u.clients = append(u.clients, q.NewClient(Urgency(random.IntN(int(urgencies)))))
	}
	return u
}

// recycle overwrites the memory of a block, so that a use after that is seen.
func (u *cacheUnderTest) recycle(b []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(b) == 0 {
		return
	}
	if u.recycled[&b[0]] {
		u.wrong = append(u.wrong, "a block's memory is given back twice")
	}
	u.recycled[&b[0]] = true
	clear(b)
}

func (u *cacheUnderTest) key(i int) Key { return Key{1, byte(i)} }

func (u *cacheUnderTest) recipe(i int) Recipe {
	return Recipe{Key: u.key(i), Size: int64(u.sizes[i]), Make: func() ([]byte, error) { return u.make(i) }}
}

// make makes block i when the script says so.
func (u *cacheUnderTest) make(i int) ([]byte, error) {
	u.mu.Lock()
	if slices.ContainsFunc(u.makings, func(m *making) bool { return m.key == i }) {
		u.wrong = append(u.wrong, fmt.Sprintf("block %d is made twice at a time", i))
	}
	u.serial++
	m := &making{key: i, serial: u.serial, end: make(chan error)}
	u.makings = append(u.makings, m)
	u.mu.Unlock()
	err := <-m.end
	u.mu.Lock()
	defer u.mu.Unlock()
	u.makings = slices.DeleteFunc(u.makings, func(other *making) bool { return other == m })
	if errors.Is(err, errMakingPanics) {
		panic(errMade{i, m.serial})
	}
	if err != nil {
		return nil, err
	}
	// Often shorter than its bound, sometimes in more memory.
	n := 3 + u.random.IntN(u.sizes[i]-3)
	return fillBlock(make([]byte, n, n+u.random.IntN(2)*u.random.IntN(300)), i, m.serial), nil
}

// fillBlock fills a block with its key and the number of its making.
func fillBlock(b []byte, key, serial int) []byte {
	for i := range b {
		b[i] = [...]byte{byte(key + 1), byte(serial), byte(serial >> 8)}[i%3]
	}
	return b
}

// isBlock reports whether a block is as fillBlock has made it.
func isBlock(b []byte, key, serial int) bool {
	for i := range b {
		if b[i] != [...]byte{byte(key + 1), byte(serial), byte(serial >> 8)}[i%3] {
			return false
		}
	}
	return len(b) > 0
}

// steps are what a script may do, each as often as it stands here.
var steps = []func(u *cacheUnderTest) string{
	(*cacheUnderTest).get, (*cacheUnderTest).get, (*cacheUnderTest).get, (*cacheUnderTest).get, (*cacheUnderTest).get,
	(*cacheUnderTest).endMaking, (*cacheUnderTest).endMaking, (*cacheUnderTest).endMaking, (*cacheUnderTest).endMaking,
	(*cacheUnderTest).release, (*cacheUnderTest).release, (*cacheUnderTest).release,
	(*cacheUnderTest).cancel, (*cacheUnderTest).prefetch, (*cacheUnderTest).peek, (*cacheUnderTest).offer,
	(*cacheUnderTest).foreignStep, (*cacheUnderTest).setUrgency,
}

func (u *cacheUnderTest) client() *Client { return u.clients[u.random.IntN(len(u.clients))] }

func (u *cacheUnderTest) get() string {
	i, client := u.random.IntN(u.keys), u.client()
	ctx, cancel := context.WithCancel(context.Background())
	g := &getting{key: i, holding: len(u.held) > 0 && u.random.IntN(3) == 0, cancel: cancel}
	if u.blocks[u.key(i)] == nil {
		u.beyond[i] = g.holding
	}
	u.gets = append(u.gets, g)
	go func() {
		g.block, g.err = u.Get(ctx, client, u.recipe(i), g.holding)
		g.returned = true
	}()
	return fmt.Sprintf("get %d, holding %v", i, g.holding)
}

func (u *cacheUnderTest) cancel() string {
	if len(u.gets) == 0 {
		return ""
	}
	g := u.gets[u.random.IntN(len(u.gets))]
	g.cancelled = true
	g.cancel()
	return fmt.Sprintf("cancel get %d", g.key)
}

func (u *cacheUnderTest) endMaking() string {
	if len(u.makings) == 0 {
		return ""
	}
	m := u.makings[u.random.IntN(len(u.makings))]
	var err error
	switch u.random.IntN(10) {
	case 0:
		err = errMade{m.key, m.serial}
	case 1:
		err = errMakingPanics
	default:
		u.good[m.key] = m.serial
	}
	u.ended, u.result = m, err
	m.end <- err
	return fmt.Sprintf("making %d of %d ends with %v", m.serial, m.key, err)
}

func (u *cacheUnderTest) release() string {
	if len(u.held) == 0 {
		return ""
	}
	i := u.random.IntN(len(u.held))
	g := u.held[i]
	u.held = slices.Delete(u.held, i, i+1)
	if u.random.IntN(3) == 0 {
		g.block.Discard()
		return fmt.Sprintf("discard %d", g.key)
	}
	g.block.Release()
	return fmt.Sprintf("release %d", g.key)
}

func (u *cacheUnderTest) prefetch() string {
	i := u.random.IntN(u.keys)
	there, could := u.blocks[u.key(i)] != nil, u.hasRoomFor(int64(u.sizes[i]))
	if got := u.Prefetch(u.client(), u.recipe(i)); got != (there || could) {
		u.wrong = append(u.wrong, fmt.Sprintf("Prefetch = %v although the block is there: %v, and there is room: %v", got, there, could))
	}
	if !there {
		u.beyond[i] = false
	}
	return fmt.Sprintf("prefetch %d", i)
}

func (u *cacheUnderTest) peek() string {
	i := u.random.IntN(u.keys)
	want := u.blocks[u.key(i)]
	b, there := u.Peek(u.key(i))
	if there != (want != nil && want.isDone()) || there && b != want {
		u.wrong = append(u.wrong, fmt.Sprintf("Peek at block %d: %v", i, there))
	}
	if there {
		u.held = append(u.held, &getting{key: i, block: b})
	}
	return fmt.Sprintf("peek %d", i)
}

func (u *cacheUnderTest) offer() string {
	i := u.random.IntN(u.keys)
	before := u.blocks[u.key(i)]
	room := u.budget.used+int64(u.sizes[i]) <= u.budget.limit
	u.mu.Lock()
	u.serial++
	serial := u.serial
	u.mu.Unlock()
	data := fillBlock(make([]byte, u.sizes[i]), i, serial)
	u.Offer(u.key(i), data)
	clear(data)        // the cache has a copy
	u.budget.mu.Lock() // a Get that waits may go on at once, and even drop the block
	kept := u.blocks[u.key(i)] != nil
	u.budget.mu.Unlock()
	if before == nil && kept != room && len(u.gets) == 0 {
		u.wrong = append(u.wrong, fmt.Sprintf("the offered block %d is kept: %v, there is room: %v", i, kept, room))
	} else if before == nil && room {
		u.good[i], u.beyond[i] = serial, false
	}
	return fmt.Sprintf("offer %d", i)
}

// foreignStep takes memory for something else, uses it, or gives it back.
func (u *cacheUnderTest) foreignStep() string {
	if len(u.foreign) == 0 || u.random.IntN(4) == 0 {
		f := &foreignShare{users: 1}
		f.Share = u.budget.Add(int64(u.random.IntN(4000)), func() { f.dropped = true })
		u.foreign = append(u.foreign, f)
		return "add another thing"
	}
	f := u.foreign[u.random.IntN(len(u.foreign))]
	switch {
	case f.users > 0 && u.random.IntN(8) > 0:
		f.users--
		f.Release()
		return "release another thing"
	case u.random.IntN(2) == 0:
		dropped := f.dropped
		if got := f.Use(); got == dropped {
			u.wrong = append(u.wrong, fmt.Sprintf("Use = %v of a thing that is dropped: %v", got, dropped))
		} else if got {
			f.users++
		}
		return "use another thing"
	}
	f.Forget()
	return "forget another thing"
}

func (u *cacheUnderTest) setUrgency() string {
	u.client().SetUrgency(Urgency(u.random.IntN(int(urgencies))))
	return "change an urgency"
}

// finish lets everything end. What is wanted must be made, however little memory there is.
func (u *cacheUnderTest) finish(t *testing.T) {
	for _, f := range u.foreign {
		for ; f.users > 0; f.users-- {
			f.Release()
		}
	}
	for range 1000 {
		synctest.Wait()
		u.collect()
		for _, g := range u.held {
			g.block.Release()
		}
		u.held = nil
		synctest.Wait()
		for _, m := range slices.Clone(u.makings) {
			u.good[m.key] = m.serial
			m.end <- nil
		}
		synctest.Wait()
		if len(u.gets) == 0 && len(u.makings) == 0 {
			break
		}
	}
	synctest.Wait()
	if len(u.gets) > 0 {
		t.Errorf("%d calls of Get never return", len(u.gets))
		for _, g := range u.gets {
			g.cancel() // so that the bubble ends
		}
	}
	if used, limit := u.budget.Used(), u.budget.Limit(); used > limit || u.busy != 0 {
		t.Errorf("in the end %d of %d bytes are taken, and %d are in use", used, limit, u.busy)
	}
	u.queue.Close()
}

// Whatever is wanted, fails, is given up, or needs the memory: the rules hold after each
// step of a random script.
func TestCacheKeepsItsRules(t *testing.T) {
	forManySeeds(t, func(t *testing.T, random *rand.Rand) {
		u := newCacheUnderTest(random)
		var script []string
		for range 150 {
			u.ended, u.result = nil, nil
			what := steps[random.IntN(len(steps))](u)
			if what == "" {
				continue
			}
			script = append(script, what)
			synctest.Wait()
			u.collect()
			u.check()
			if len(u.wrong) > 0 {
				t.Errorf("%q with a budget of %d, %d workers and blocks of %v, after the script %q",
					u.wrong, u.budget.limit, u.queue.limit, u.sizes, script)
				break
			}
		}
		u.finish(t)
	})
}
