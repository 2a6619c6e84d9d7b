package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newTerminal returns both ends of a pseudo terminal.
func newTerminal(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this host gives no terminals: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skipf("unlock a terminal: %v", err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skipf("number of a terminal: %v", err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this host gives no terminals: %v", err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return master, terminal
}

// shown closes the terminal and returns what it was sent.
func shown(t *testing.T, master, terminal *os.File) string {
	t.Helper()
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		all.Write(buf[:n])
		if err != nil { // EIO: the other end is closed
			return all.String()
		}
	}
}

func TestProgressShowsRateAndTimeLeftOnATerminal(t *testing.T) {
	master, terminal := newTerminal(t)
	advance, end := newProgress(terminal, 100<<20)
	advance(10 << 20)
	time.Sleep(1100 * time.Millisecond) // time left is shown in seconds
	advance(20 << 20)
	end()
	text := shown(t, master, terminal)
	for _, want := range []string{"20%", "100 MiB", "MiB/s", "s:", "s]"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	if strings.Contains(text, "\n") {
		t.Errorf("the bar scrolls: %q", text)
	}
}

func TestProgressShowsNothingElsewhere(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	advance, end := newProgress(file, 100)
	advance(50)
	advance(100)
	end()
	if st, err := file.Stat(); err != nil || st.Size() != 0 {
		t.Errorf("%d bytes of progress in a file, %v", st.Size(), err)
	}
	var buffer bytes.Buffer
	advance, end = newProgress(&buffer, 100)
	advance(100)
	end()
	if buffer.Len() != 0 {
		t.Errorf("%q in a buffer", buffer.String())
	}
}

func TestMessagesAreEscapedOnATerminalOnly(t *testing.T) {
	master, terminal := newTerminal(t)
	if got := printable(terminal, "a\x1b[31m\tb"); got != `a\x1b[31m\tb` {
		t.Errorf("a terminal gets %q", got)
	}
	_ = shown(t, master, terminal)
}

func TestEscapedLeavesNothingThatSteersATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"compute":                 "compute",
		"c69_éname ü 日本":          "c69_éname ü 日本",
		`quote " and back \ stay`: `quote " and back \ stay`,
		"c69\ttab\n":              `c69\ttab\n`,
		"\x1b]0;owned\a":          `\x1b]0;owned\a`,
		"\x9b31m":                 `\x9b31m`,
		"\u009b31m":               `\u009b31m`,
		"latin1 \xe9":             `latin1 \xe9`,
		"\u202egnp.tgz":           `\u202egnp.tgz`,
		"nul\x00del\x7f":          `nul\x00del\x7f`,
		"real \ufffd":             "real \ufffd",
	} {
		if got := escaped(text); got != want {
			t.Errorf("escaped(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPrintableKeepsBytesForPipes(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if got := printable(w, "a\tb\x1b"); got != "a\tb\x1b" {
		t.Errorf("a pipe gets %q", got)
	}
}
