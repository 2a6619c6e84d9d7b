package main

import (
	"os"
	"runtime/debug"
)

// limitHeap has the garbage collector keep the whole process near what
// --memory allows for bundles. By default it lets garbage take as much again.
// Who sets GOMEMLIMIT knows better.
func limitHeap(memory int64, images int) {
	const (
		program  = 40 << 20 // code, buffers of the kernel's requests, compressors
		perImage = 16 << 10 // rows, names, and what was found of an image
	)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory + program + int64(images)*perImage)
	}
}
