package blocks

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestABlockIsMadeOnceHoweverManyWantIt(t *testing.T) {
	k := newKitchen(t, 1<<20, 4)
	k.gate = make(chan struct{})
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() { k.get(t, 0).Release() })
	}
	time.Sleep(10 * time.Millisecond)
	close(k.gate)
	readers.Wait()
	if n := k.made[0].Load(); n != 1 {
		t.Errorf("made %d times", n)
	}
}

func TestAFailedBlockIsTriedAgain(t *testing.T) {
	k := newKitchen(t, 1<<20, 1)
	k.fails = errors.New("cannot be made")
	if _, err := k.Get(t.Context(), k.client, k.recipe(0), false); !errors.Is(err, k.fails) {
		t.Fatal(err)
	}
	if used := k.budget.Used(); used != 0 {
		t.Errorf("%d bytes are charged for nothing", used)
	}
	k.fails = nil
	k.get(t, 0).Release()
	if used := k.budget.Used(); used != blockSize {
		t.Errorf("%d bytes in use", used)
	}
}

func TestAWaitingReaderCanBeInterrupted(t *testing.T) {
	k := newKitchen(t, 1<<20, 1)
	k.gate = make(chan struct{})
	defer close(k.gate)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := k.Get(ctx, k.client, k.recipe(0), false); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get = %v", err)
	}
}

func TestLeastRecentlyUsedBlocksGoFirst(t *testing.T) {
	k := newKitchen(t, 3*blockSize, 1)
	for _, i := range []int{0, 1, 2, 0, 3, 0} { // 1 goes for 3
		k.get(t, i).Release()
	}
	for i := range 4 {
		if got := k.made[i].Load(); got != 1 {
			t.Errorf("block %d was made %d times", i, got)
		}
	}
	k.get(t, 1).Release()
	if k.made[1].Load() != 2 {
		t.Error("block 1 was still there")
	}
}

func TestOtherThingsOfTheBudgetMakeRoomForBlocksAndBlocksForThem(t *testing.T) {
	k := newKitchen(t, 3*blockSize, 1)
	dropped := false
	plan := k.budget.Add(2*blockSize, func() { dropped = true })
	k.get(t, 0).Release()
	k.get(t, 1).Release() // goes beyond, so 0 goes
	if _, there := k.Peek(Key{0}); there || dropped {
		t.Errorf("block 0 is there: %v, and the plan, which is in use, dropped: %v", there, dropped)
	}
	plan.Release()
	k.get(t, 2).Release()
	k.get(t, 3).Release()
	k.get(t, 4).Release()
	if !dropped || plan.Use() {
		t.Error("the plan is still there")
	}
	k.budget.Add(3*blockSize, func() {}).Release()
	if _, there := k.Peek(Key{4}); there {
		t.Error("the blocks are still there")
	}
}

func TestABlockIsChargedForTheMemoryThatItTakes(t *testing.T) {
	k := newKitchen(t, 1<<20, 1)
	r := k.recipe(0)
	r.Make = func() ([]byte, error) { return make([]byte, 10, 5*blockSize), nil }
	b, err := k.Get(t.Context(), k.client, r, false)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	if used := k.budget.Used(); used != 5*blockSize {
		t.Errorf("%d bytes are charged", used)
	}
}

func TestReadersWaitForMemoryUnlessTheyHoldSome(t *testing.T) {
	k := newKitchen(t, 2*blockSize, 1)
	held := []*Block{k.get(t, 0), k.get(t, 1)}
	got := make(chan *Block)
	go func() {
		b, err := k.Get(context.Background(), k.client, k.recipe(2), false)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	select {
	case <-got:
		t.Fatal("a third block beyond the budget")
	case <-time.After(50 * time.Millisecond):
	}
	// One who holds a block must get the next, or all might wait for each other.
	b, err := k.Get(t.Context(), k.client, k.recipe(3), true)
	if err != nil {
		t.Fatal(err)
	}
	b.Release()
	held[0].Release()
	held[1].Release()
	(<-got).Release()
	if used := k.budget.Used(); used > 2*blockSize {
		t.Errorf("%d bytes are kept", used)
	}
}

func TestADiscardedBlockGivesItsMemoryBack(t *testing.T) {
	k := newKitchen(t, 1<<20, 1)
	recycled := 0
	k.recycle = func(b []byte) { recycled += len(b) }
	first, second := k.get(t, 0), k.get(t, 0)
	first.Discard()
	if recycled != 0 || second.Data() == nil {
		t.Fatal("a block in use is recycled")
	}
	second.Discard()
	if used := k.budget.Used(); recycled != blockSize || used != 0 {
		t.Errorf("%d bytes recycled, %d in use", recycled, used)
	}
}

func TestWhatIsOfferedIsKeptWhereThereIsUnusedRoom(t *testing.T) {
	k := newKitchen(t, 2*blockSize, 1)
	k.get(t, 0).Release()
	k.Offer(Key{1}, make([]byte, blockSize))
	k.Offer(Key{2}, make([]byte, blockSize))
	for i, want := range []bool{true, true, false} {
		b, there := k.Peek(Key{byte(i)})
		if there != want {
			t.Errorf("block %d is there: %v", i, there)
		}
		if there {
			b.Release()
		}
	}
}
