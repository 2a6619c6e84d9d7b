package fs

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// seedsMin is how many seeds are tried also where that takes long.
const seedsMin = 25

// forManySeeds runs a test in a bubble of its own for each of many seeds, until it fails.
// A bubble ends when all of its goroutines have ended, and panics when all of them wait,
// so it finds what hangs and what leaks. IMGEXPORTFS_SEED repeats one seed, SOAK goes on
// for so many minutes.
func forManySeeds(t *testing.T, test func(t *testing.T, seed uint64)) {
	t.Helper()
	seed, limit := uint64(time.Now().UnixNano()), time.Second
	once := os.Getenv("IMGEXPORTFS_SEED")
	var err error
	if once != "" {
		seed, err = strconv.ParseUint(once, 10, 64)
	} else if text := os.Getenv("SOAK"); text != "" {
		var minutes float64
		minutes, err = strconv.ParseFloat(text, 64)
		limit = max(limit, time.Duration(minutes*float64(time.Minute)))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if v := recover(); v != nil {
			panic(fmt.Sprintf("IMGEXPORTFS_SEED=%d: %v", seed, v))
		}
		if t.Failed() { // a bubble that has failed ends the test
			t.Logf("IMGEXPORTFS_SEED=%d", seed)
		}
	}()
	seeds := 0
	for began := time.Now(); seeds == 0 || once == "" && (seeds < seedsMin || time.Since(began) < limit); seeds++ {
		synctest.Test(t, func(t *testing.T) { test(t, seed) })
		seed++
	}
	t.Logf("%d seeds", seeds)
}

// lines writes a script, one step a line.
func lines(script []string) string { return "\t" + strings.Join(script, "\n\t") + "\n" }
