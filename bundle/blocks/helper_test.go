package blocks

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
)

// kitchen is a cache of blocks of 1000 bytes, with what it takes to make them.
type kitchen struct {
	*Cache
	client *Client
	made   [20]atomic.Int64
	gate   chan struct{} // if not nil, making waits for it
	fails  error         // if not nil, what making gives
}

func newKitchen(t *testing.T, memory int64, workers int) *kitchen {
	t.Helper()
	q := NewQueue(workers, slog.New(slog.DiscardHandler))
	t.Cleanup(q.Close)
	return &kitchen{Cache: NewCache(NewBudget(memory), q, func([]byte) {}), client: q.NewClient(Waiting)}
}

const blockSize = 1000

func (k *kitchen) recipe(i int) Recipe {
	return Recipe{Key: Key{byte(i)}, Size: blockSize, Make: func() ([]byte, error) {
		if k.gate != nil {
			<-k.gate
		}
		k.made[i].Add(1)
		b := make([]byte, blockSize)
		b[0] = byte(i)
		return b[:blockSize:blockSize], k.fails
	}}
}

func (k *kitchen) get(t *testing.T, i int) *Block {
	t.Helper()
	b, err := k.Get(context.Background(), k.client, k.recipe(i), false)
	if err != nil {
		t.Fatal(err)
	}
	if b.Data()[0] != byte(i) {
		t.Fatalf("block %d is another one", i)
	}
	return b
}
