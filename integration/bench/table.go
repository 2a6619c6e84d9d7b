package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// table collects the lines of the report.
type table struct {
	lines  []string
	missed int
}

func (t *table) line(cells ...string) {
	t.lines = append(t.lines, "| "+strings.Join(cells, " | ")+" |")
}

// title starts a part of the table.
func (t *table) title(format string, args ...any) {
	t.line("**"+fmt.Sprintf(format, args...)+"**", "", "", "", "")
}

// race compares two ways of one work. Ours is to be so many times as fast as
// theirs, at least; 0 is for orientation only.
func (t *table) race(work string, ours samples, against string, theirs samples, atLeast float64) {
	if len(theirs) == 0 {
		t.line(work, show(ours.median()), against, "not installed", "")
		return
	}
	ratio := theirs.median().Seconds() / ours.median().Seconds()
	aim := ""
	if atLeast > 0 {
		aim = t.verdict(fmt.Sprintf("≥ %g", atLeast), ratio >= atLeast)
	}
	t.line(work, show(ours.median()), against+": "+show(theirs.median()), fmt.Sprintf("%.2f", ratio), aim)
}

// limit shows a time that is to be no more than the aim; 0 is for orientation
// only.
func (t *table) limit(work string, took, atMost time.Duration) {
	aim := ""
	if atMost > 0 {
		aim = t.verdict("< "+show(atMost), took < atMost)
	}
	t.line(work, show(took), "", "", aim)
}

// amount shows a number of bytes, of ours against theirs or a limit.
func (t *table) amount(work string, ours int64, against string, theirs int64, atMost float64) {
	ratio := float64(ours) / float64(theirs)
	t.line(work, mebibytes(ours), against+": "+mebibytes(theirs), fmt.Sprintf("%.3f", ratio),
		t.verdict(fmt.Sprintf("≤ %g", atMost), ratio <= atMost))
}

func (t *table) verdict(aim string, met bool) string {
	if met {
		return aim + " met"
	}
	t.missed++
	return aim + " **missed**"
}

// print writes the table in Markdown.
func (t *table) print(w io.Writer, runs int) error {
	head := []string{
		fmt.Sprintf("Medians of %d runs, %s, on %s.", runs, time.Now().Format("2006-01-02"), machine()),
		"",
		"| work | imgexportfs | against | ratio | aim |",
		"|---|---|---|---|---|",
	}
	_, err := fmt.Fprintf(w, "%s\n\n%d aims missed.\n", strings.Join(append(head, t.lines...), "\n"), t.missed)
	return err
}

// machine says what the figures were measured on.
func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	var uts syscall.Utsname
	release := "?"
	if syscall.Uname(&uts) == nil {
		var b bytes.Buffer
		for _, c := range uts.Release {
			if c == 0 {
				break
			}
			b.WriteByte(byte(c))
		}
		release = b.String()
	}
	return fmt.Sprintf("%d cores of %s, Linux %s, %s", runtime.NumCPU(), model, release, runtime.Version())
}

// show prints a time with three digits that mean something.
func show(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	case d >= 100*time.Microsecond:
		return fmt.Sprintf("%.2f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.1f µs", d.Seconds()*1e6)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
