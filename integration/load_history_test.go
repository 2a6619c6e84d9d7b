package integration

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is a clock that processes of one host share and that no clock server sets.
func monotonic() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err) // every Linux has it
	}
	return time.Duration(now.Nano())
}

// loadSlack is by how much what a mount shows may be older than its refresh interval. A
// database that does not answer for a second is not waited for, and on a machine that
// is as busy as this test makes it, a second is soon over. That the refresh interval is
// kept is tested elsewhere.
const loadSlack = 5 * time.Second

// loadHistory knows in which state the files and the row of each image were, and when.
type loadHistory struct {
	mu      sync.Mutex // guards what follows
	spans   map[string][]loadSpan
	outages []loadSpan // of the database
}

// loadSpan is a time in which a state may have been seen.
type loadSpan struct {
	state    int
	from, to time.Duration // from the beginning of a change to the end of the next one
}

// change notes that a part of an image is brought into a state by do.
func (h *loadHistory) change(image, part string, state int, do func()) {
	key := image + " " + part
	h.mu.Lock()
	if h.spans[key] == nil {
		h.spans[key] = []loadSpan{{to: -1}} // state 0, from the beginning on
	}
	h.spans[key] = append(h.spans[key], loadSpan{state: state, from: monotonic(), to: -1})
	h.mu.Unlock()
	do()
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.spans[key]
	list[len(list)-2].to = monotonic()
	if n := len(list); n > 1000 { // hours of changes
		h.spans[key] = slices.Clone(list[n-500:])
	}
}

// outage notes that the database cannot be read while do runs: so long a mount shows the rows
// that it has read last.
func (h *loadHistory) outage(do func()) {
	h.mu.Lock()
	h.outages = append(h.outages, loadSpan{from: monotonic(), to: -1})
	h.mu.Unlock()
	do()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.outages[len(h.outages)-1].to = monotonic()
}

// oldest is when what a mount shows of a part at a time must have been so. h.mu is held.
func (h *loadHistory) oldest(part string, at time.Duration) time.Duration {
	at -= loadRefresh + loadSlack
	if part != partRow {
		return at
	}
	for _, o := range slices.Backward(h.outages) {
		if o.from < at && (o.to < 0 || o.to >= at) {
			at = o.from - loadRefresh - loadSlack
		}
	}
	return at
}

// seen are the spans of a part of an image that something could see that was opened and
// read between two times.
func (h *loadHistory) seen(image, part string, from, to time.Duration) (spans []loadSpan) {
	h.mu.Lock()
	defer h.mu.Unlock()
	oldest := h.oldest(part, from)
	for _, s := range h.spans[image+" "+part] {
		if s.from <= to && (s.to < 0 || s.to >= oldest) {
			spans = append(spans, s)
		}
	}
	if len(h.spans[image+" "+part]) == 0 {
		spans = []loadSpan{{to: -1}} // it has never changed
	}
	return spans
}

// check says what is wrong with a reading that had the bytes of one of several states, or
// "".
func (h *loadHistory) check(image string, states []loadState, from, to time.Duration) string {
	for _, s := range states {
		has := func(part string, state int) bool {
			return slices.ContainsFunc(h.seen(image, part, from, to), func(span loadSpan) bool { return span.state == state })
		}
		if has(partFiles, s.Files) && has(partRow, s.Row) {
			return ""
		}
	}
	return fmt.Sprintf("%s was in none of the states %v, %v to %v ago; its files were %v, its row %v", image, states,
		monotonic()-from, monotonic()-to, h.seen(image, partFiles, from, to), h.seen(image, partRow, from, to))
}

// changed reports whether an image was changed in a time, so that a reading may fail.
func (h *loadHistory) changed(image string, from, to time.Duration) bool {
	return len(h.seen(image, partFiles, from, to)) > 1 || len(h.seen(image, partRow, from, to)) > 1
}

func TestLoadHistoryTellsWhatCouldBeSeen(t *testing.T) {
	h := loadHistory{spans: map[string][]loadSpan{}}
	h.change("image15", partFiles, 1, func() {})
	now := monotonic()
	later := now + loadRefresh + loadSlack + time.Second
	for _, c := range []struct {
		state         loadState
		from, to      time.Duration
		seen, changed bool
	}{
		{loadState{1, 0}, now, later, true, true},
		{loadState{0, 0}, now, later, true, true},
		{loadState{0, 0}, later, later, false, false},
		{loadState{1, 0}, later, later, true, false},
		{loadState{1, 1}, now, later, false, true},
	} {
		if wrong := h.check("image15", []loadState{c.state}, c.from, c.to); (wrong == "") != c.seen {
			t.Errorf("%+v: %q", c, wrong)
		}
		if changed := h.changed("image15", c.from, c.to); changed != c.changed {
			t.Errorf("%+v: changed %v", c, changed)
		}
	}
}

func TestLoadHistoryAllowsOldRowsWhileThereIsNoDatabase(t *testing.T) {
	h := loadHistory{spans: map[string][]loadSpan{}}
	h.change("image15", partRow, 1, func() {})
	h.change("image15", partFiles, 1, func() {})
	h.outage(func() {})
	began := h.outages[0].from
	h.outages[0].to = began + time.Minute
	soon := loadRefresh + loadSlack - time.Second
	for _, c := range []struct {
		state loadState
		at    time.Duration
		seen  bool
	}{
		{loadState{1, 0}, began + time.Minute + soon, true},
		{loadState{1, 0}, began + time.Minute + soon + 2*time.Second, false},
		{loadState{0, 1}, began + time.Minute, false},
		{loadState{1, 1}, began + 2*time.Minute, true},
	} {
		if wrong := h.check("image15", []loadState{c.state}, c.at, c.at); (wrong == "") != c.seen {
			t.Errorf("%+v: %q", c, wrong)
		}
	}
}
