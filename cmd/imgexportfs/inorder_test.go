package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestInOrderKeepsTheOrderAndTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var items, got []int
		for i := range 50 {
			items = append(items, i)
		}
		var now, most atomic.Int32
		err := inOrder(t.Context(), items, func(_ context.Context, i int) (int, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Duration(i*37%11) * time.Millisecond)
			now.Add(-1)
			return i * i, nil
		}, func(r int) { got = append(got, r) })
		if err != nil || len(got) != 50 {
			t.Fatalf("%d results, %v", len(got), err)
		}
		for i, r := range got {
			if r != i*i {
				t.Fatalf("result %d is %d", i, r)
			}
		}
		if limit := runtime.GOMAXPROCS(0); int(most.Load()) > limit {
			t.Errorf("%d at a time, want at most %d", most.Load(), limit)
		}
	})
}

func TestInOrderEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	var got []string
	err := inOrder(t.Context(), []string{"a", "b", "c"}, func(ctx context.Context, s string) (string, error) {
		if s == "b" {
			return "", fmt.Errorf("%s: %w", s, broken)
		}
		return s, nil
	}, func(s string) { got = append(got, s) })
	if !errors.Is(err, broken) {
		t.Errorf("error %v, results %q", err, got)
	}
	if len(got) > 1 {
		t.Errorf("results %q behind the error", got)
	}
}
