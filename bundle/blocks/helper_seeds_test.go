package blocks

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// forManySeeds runs a test in a bubble of its own for each of many seeds, until it fails.
// A bubble ends when all of its goroutines have ended, and panics when all of them wait,
// so it finds what hangs and what leaks. IMGEXPORTFS_SEED repeats one seed.
func forManySeeds(t *testing.T, test func(t *testing.T, random *rand.Rand)) {
	t.Helper()
	seed, limit := seedAndLimit(t)
	defer func() {
		if v := recover(); v != nil {
			panic(fmt.Sprintf("IMGEXPORTFS_SEED=%d: %v", seed, v))
		}
		if t.Failed() { // a bubble that has failed ends the test
			t.Logf("IMGEXPORTFS_SEED=%d", seed)
		}
	}()
	seeds := 0
	for began := time.Now(); seeds == 0 || time.Since(began) < limit; seeds++ {
		synctest.Test(t, func(t *testing.T) { test(t, rand.New(rand.NewPCG(seed, 0))) })
		seed++
	}
	t.Logf("%d seeds", seeds)
}

// seedAndLimit are the first seed, and for how long to go on: a moment, or the minutes of
// SOAK.
func seedAndLimit(t *testing.T) (seed uint64, limit time.Duration) {
	t.Helper()
	var err error
	if text := os.Getenv("IMGEXPORTFS_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("IMGEXPORTFS_SEED: %v", err)
		}
		return seed, 0
	}
	minutes := 0.0
	if text := os.Getenv("SOAK"); text != "" {
		if minutes, err = strconv.ParseFloat(text, 64); err != nil {
			t.Fatalf("SOAK: %v", err)
		}
	}
	return uint64(time.Now().UnixNano()), max(700*time.Millisecond, time.Duration(minutes*float64(time.Minute)))
}
