package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// lineEvery is how often a line says how far something is where no bar can be drawn.
const lineEvery = 5 * time.Second

// progress shows how far something is that may take long: by a bar on a terminal,
// elsewhere by a line now and then. It is not for concurrent use.
type progress struct {
	w     io.Writer
	what  string // heads a line
	total int64

	bar   *progressbar.ProgressBar // on a terminal
	note  string                   // beside the bar
	began time.Time
	every time.Duration // between lines
	last  time.Time     // of the last line
}

// newProgress returns the progress of writing size bytes.
func newProgress(w io.Writer, what string, size int64) *progress {
	return startProgress(w, what, size,
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowTotalBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionShowCount(),
	)
}

// startProgress returns the progress towards total, with what a bar shows besides
// percent and time left.
func startProgress(w io.Writer, what string, total int64, options ...progressbar.Option) *progress {
	now := time.Now()
	p := &progress{w: w, what: escaped(what), total: total, began: now, every: lineEvery, last: now}
	if isTerminal(w) && total > 0 {
		p.bar = progressbar.NewOptions64(total, append(options,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetWidth(30),
			progressbar.OptionClearOnFinish(),
		)...)
	}
	return p
}

// set shows that done of the total is done, and a note that says more.
func (p *progress) set(done int64, note string) {
	if p.bar != nil {
		if note != p.note {
			p.note = note
			p.bar.Describe(note)
		}
		_ = p.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
		return
	}
	now := time.Now()
	if p.total <= 0 || now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	line := fmt.Sprintf("%s: %d%% done", p.what, 100*done/p.total)
	if note != "" {
		line += ", " + note
	}
	if done > 0 {
		left := time.Duration(float64(now.Sub(p.began)) * float64(p.total-done) / float64(done))
		line += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	fmt.Fprintln(p.w, line)
}

// written tells how many bytes are done.
func (p *progress) written(done int64) { p.set(done, "") }

// end removes the bar.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
