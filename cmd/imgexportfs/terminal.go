package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printable returns text as w can take it: escaped for a terminal, unchanged for
// a file or a pipe, where a program may compare the bytes.
func printable(w io.Writer, text string) string {
	if isTerminal(w) {
		return escaped(text)
	}
	return text
}

// escaped returns text with everything that could steer a terminal or break a
// line (control characters, bytes that are not UTF-8, invisible and
// direction-changing characters) written as in a Go string: \n, \x1b, \u202e.
// Names come from a database that many users can write to.
func escaped(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || !strconv.IsPrint(r) {
			quoted := strconv.Quote(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// counted is a number of things in English: "1 problem", "2 problems".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// newProgress returns a function that shows on a terminal how much of size bytes
// is done, at what rate, and how long the rest will take, and one that removes
// the bar. Where w is no terminal, both do nothing.
func newProgress(w io.Writer, size int64) (advance func(done int64), end func()) {
	if !isTerminal(w) || size <= 0 {
		return func(int64) {}, func() {}
	}
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowCount(),
		progressbar.OptionShowTotalBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
	)
	// A bar that cannot be drawn is no reason to stop.
	return func(done int64) { _ = bar.Set64(done) }, func() { _ = bar.Clear() }
}
