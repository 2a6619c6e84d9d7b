package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// spareProcessors are how many of the runtime's processors there are beyond
// those of the workers that make segments.
const spareProcessors = 2

func limitRuntime(memory int64) {
	cores := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(cores + spareProcessors)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapLimit(memory, cores))
	}
}

func heapLimit(memory int64, cores int) int64 { return memory + 40<<20 }
