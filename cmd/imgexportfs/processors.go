package main

import "runtime"

// spareProcessors are how many of the runtime's processors there are beyond
// those of the workers that make segments.
const spareProcessors = 2

// spare gives the runtime processors to serve the kernel with. A goroutine that
// waits for the kernel's next request in read(2) keeps its processor until the
// runtime notices, which takes up to 10 ms after every request; meanwhile a
// worker would have none, and its core nothing to do. Likewise an answer need
// not wait for a worker's turn to end.
//
// It is called when the workers have been counted.
func spare() { runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareProcessors) }
