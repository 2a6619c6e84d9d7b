package integration

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"
)

// loadTable is what is seen of a server under load, a row a minute.
type loadTable struct {
	out      io.Writer
	row      time.Duration
	began    time.Time
	rowBegan time.Time
	sampled  time.Time
	restarts int // of the database
	rows     []figures
	now      figures // the most in this row

	mu            sync.Mutex // guards what follows
	copies        int        // bundles that were opened, and read without an error
	later         int        // of them, in another state than the first one
	reads, errors int        // in this row
	allReads      int
	allErrors     int
	took, stats   []time.Duration // of the probe in this row
	allTook       []time.Duration // in all rows: 20 MiB for 8 hours
	allStats      []time.Duration
}

// add counts what a reader has read.
func (lt *loadTable) add(r loadReading) {
	lt.mu.Lock()
	defer lt.mu.Unlock()
	lt.reads += r.Reads
	lt.took, lt.stats = append(lt.took, r.Took...), append(lt.stats, r.Stats...)
	if r.Errno == 0 && !r.Probe {
		lt.copies++
		if len(r.States) == 1 && r.States[0] != (loadState{}) {
			lt.later++
		}
	} else if r.Errno != 0 {
		lt.errors++
	}
}

// hasSeenChanges reports whether there was something to survive.
func (lt *loadTable) hasSeenChanges() bool {
	lt.mu.Lock()
	defer lt.mu.Unlock()
	return lt.later >= 10 && lt.restarts > 0
}

// begin writes the head of the table.
func (lt *loadTable) begin(t *testing.T, row time.Duration) {
	t.Helper()
	lt.out, lt.row, lt.began, lt.rowBegan = t.Output(), row, time.Now(), time.Now()
	fmt.Fprintf(lt.out, "| minute | RSS MiB | goroutines | descriptors | reads | stale | 128 KiB: p50 | p99 | stat: p50 | p99 | restarts |\n")
	fmt.Fprintf(lt.out, "|---|---|---|---|---|---|---|---|---|---|---|\n")
}

// sample looks at the server, not more often than needed, and ends a row in time.
func (lt *loadTable) sample(t *testing.T, l *load) {
	t.Helper()
	if time.Since(lt.sampled) < min(time.Second, lt.row/4) {
		return
	}
	lt.sampled = time.Now()
	lt.now = lt.now.most(l.mount.figures(t))
	if time.Since(lt.rowBegan) >= lt.row {
		lt.endRow()
	}
}

// endRow writes a row and begins the next one.
func (lt *loadTable) endRow() {
	lt.mu.Lock()
	defer lt.mu.Unlock()
	lt.line(fmt.Sprintf("%.1f", time.Since(lt.began).Minutes()), lt.now, lt.reads, lt.errors, lt.took, lt.stats)
	lt.rows = append(lt.rows, lt.now)
	lt.allTook, lt.allStats = append(lt.allTook, lt.took...), append(lt.allStats, lt.stats...)
	lt.allReads, lt.allErrors = lt.allReads+lt.reads, lt.allErrors+lt.errors
	lt.now, lt.reads, lt.errors, lt.took, lt.stats = figures{}, 0, 0, nil, nil
	lt.rowBegan = time.Now()
}

func (lt *loadTable) line(name string, f figures, reads, errors int, took, stats []time.Duration) {
	fmt.Fprintf(lt.out, "| %s | %.1f | %d | %d | %d | %d | %s | %s | %s | %s | %d |\n", name, float64(f.resident)/(1<<20),
		f.goroutines, f.descriptors, reads, errors,
		quantile(took, 50), quantile(took, 99), quantile(stats, 50), quantile(stats, 99), lt.restarts)
}

// quantile is the value below which so many percent are, in milliseconds.
func quantile(list []time.Duration, percent int) string {
	if len(list) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(list))
	return fmt.Sprintf("%.2f ms", float64(sorted[len(sorted)*percent/100].Microseconds())/1000)
}

// finish writes the last line.
func (lt *loadTable) finish(t *testing.T, database string) {
	t.Helper()
	lt.endRow()
	lt.mu.Lock()
	defer lt.mu.Unlock()
	var most figures
	for _, r := range lt.rows {
		most = most.most(r)
	}
	lt.line("all", most, lt.allReads, lt.allErrors, lt.allTook, lt.allStats)
	fmt.Fprintf(lt.out, "%d bundles were opened and read without an error, %d of them after a change, beside a %s that was restarted %d times\n",
		lt.copies, lt.later, database, lt.restarts)
}

// expectFlat compares the last third of the rows with the first one, where the first
// minutes are left out: what is cached then still grows.
func (lt *loadTable) expectFlat(t *testing.T) {
	t.Helper()
	rows := lt.rows
	if len(rows) < 9 || lt.row < time.Minute {
		return
	}
	rows = rows[2:]
	third := len(rows) / 3
	mean := func(rows []figures) (resident, goroutines, descriptors float64) {
		n := float64(len(rows))
		for _, r := range rows {
			resident, goroutines, descriptors = resident+float64(r.resident)/n, goroutines+float64(r.goroutines)/n, descriptors+float64(r.descriptors)/n
		}
		return resident, goroutines, descriptors
	}
	resident, goroutines, descriptors := mean(rows[:third])
	lastResident, lastGoroutines, lastDescriptors := mean(rows[len(rows)-third:])
	if lastResident > 1.2*resident+(8<<20) || lastGoroutines > 1.3*goroutines+10 || lastDescriptors > 1.3*descriptors+10 {
		t.Errorf("in the last third of the time there were %.0f bytes, %.1f goroutines and %.1f descriptors; in the first third %.0f, %.1f and %.1f",
			lastResident, lastGoroutines, lastDescriptors, resident, goroutines, descriptors)
	}
}
