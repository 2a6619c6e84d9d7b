package main

import "testing"

// The limit leaves 20 MiB of the 64 MiB beside --memory to what the runtime does not
// count, and each core beyond two has room for what its worker needs.
func TestHeapLimitGrowsWithMemoryAndCores(t *testing.T) {
	for _, test := range []struct {
		memory int64
		cores  int
		want   int64
	}{
		{64 << 20, 1, 108 << 20},
		{64 << 20, 2, 108 << 20},
		{64 << 20, 3, 111 << 20},
		{64 << 20, 16, 150 << 20},
		{256 << 20, 2, 300 << 20},
		{256 << 20, 64, 486 << 20},
	} {
		if got := heapLimit(test.memory, test.cores); got != test.want {
			t.Errorf("%d MiB, %d cores: %d MiB, want %d MiB", test.memory>>20, test.cores, got>>20, test.want>>20)
		}
	}
}
