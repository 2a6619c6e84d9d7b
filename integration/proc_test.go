package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// procValue is the number behind a name in a file of the server's /proc/PID.
func (m *mount) procValue(t *testing.T, file, name string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", m.cmd.Process.Pid, file))
	must(t, err)
	_, rest, found := strings.Cut("\n"+string(text), "\n"+name+":")
	fields := strings.Fields(rest)
	if !found || len(fields) == 0 {
		t.Fatalf("/proc/PID/%s has no %s: %s", file, name, text)
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	must(t, err)
	return n
}

// peakMemory is the most memory that the server has had resident, in bytes.
func (m *mount) peakMemory(t *testing.T) int64 { return m.procValue(t, "status", "VmHWM") << 10 }

// memory is what the server has resident now, in bytes.
func (m *mount) memory(t *testing.T) int64 { return m.procValue(t, "status", "VmRSS") << 10 }

// bytesRead is how many bytes the server has read from files so far.
func (m *mount) bytesRead(t *testing.T) int64 { return m.procValue(t, "io", "rchar") }

// cpu is the processor time that the server has taken so far.
func (m *mount) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.cmd.Process.Pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold blanks
	fields := strings.Fields(rest)
	var ticks int64 // of 10 ms, on every Linux
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		must(t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// expectResting polls until a figure of the server grows by less than atMost
// in half a second, for at most patience.
func expectResting(t *testing.T, what string, figure func() int64, atMost int64, patience time.Duration) {
	t.Helper()
	started := time.Now()
	for {
		before := figure()
		time.Sleep(500 * time.Millisecond)
		grown := figure() - before
		if grown <= atMost {
			return
		}
		if time.Since(started) > patience+500*time.Millisecond {
			t.Errorf("%v later, %s still grows by %d in half a second", time.Since(started).Round(time.Millisecond), what, grown)
			return
		}
	}
}
