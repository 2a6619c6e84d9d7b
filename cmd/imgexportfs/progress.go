package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows on a terminal how far a bundle is, at what rate, and how
// long it will still take, all counted before compression: that size is known
// at once. Elsewhere it shows nothing, ever.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, size int64) progress {
	if !isTerminal(w) || size <= 0 {
		return progress{}
	}
	return progress{bar: progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowCount(),
		progressbar.OptionShowTotalBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
	)}
}

// advance says that the first done bytes are written.
func (p progress) advance(done int64) {
	if p.bar != nil {
		_ = p.bar.Set64(done) // a bar that can't be drawn is no reason to stop
	}
}

// end removes the bar, finished or not.
func (p progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
