package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// The limit leaves 16 MiB of the 64 MiB beside --memory to what the runtime does not
// count, and each core beyond two has room for what its worker needs.
func TestHeapLimitGrowsWithMemoryAndCores(t *testing.T) {
	for _, test := range []struct {
		memory int64
		cores  int
		want   int64
	}{
		{64 << 20, 1, 112 << 20},
		{64 << 20, 2, 112 << 20},
		{64 << 20, 3, 115 << 20},
		{64 << 20, 16, 154 << 20},
		{256 << 20, 2, 304 << 20},
		{256 << 20, 64, 490 << 20},
	} {
		if got := heapLimit(test.memory, test.cores); got != test.want {
			t.Errorf("%d MiB, %d cores: %d MiB, want %d MiB", test.memory>>20, test.cores, got>>20, test.want>>20)
		}
	}
}

// Every command that makes bundles, or only counts their bytes, keeps to --memory.
func TestEveryCommandThatMakesBundlesLimitsTheHeap(t *testing.T) {
	root, _ := unpackSite(t)
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, args := range [][]string{
		{"imgexportfs", "export", "--root", root, "--memory", "64MiB", "c02_tmpl_compute"},
		{"imgexportfs", "list", "--root", root, "--memory", "64MiB"},
		{"imgexportfs", "check", "--root", root, "--memory", "64MiB", "c02_tmpl_compute"},
	} {
		for _, test := range []struct {
			env  string
			want int64
		}{
			{"", heapLimit(64<<20, runtime.GOMAXPROCS(0))},
			{"1GiB", math.MaxInt64}, // the runtime's own business
		} {
			t.Setenv("GOMEMLIMIT", test.env)
			debug.SetMemoryLimit(math.MaxInt64)
			if code, _, stderr, _ := try(t, args...); code != 0 {
				t.Fatalf("%q: code %d: %s", args, code, stderr)
			}
			if got := debug.SetMemoryLimit(-1); got != test.want {
				t.Errorf("%s with GOMEMLIMIT=%s: limit %d, want %d", args[1], test.env, got, test.want)
			}
		}
	}
}
