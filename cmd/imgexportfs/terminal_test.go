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
	bar := newProgress(terminal, "foo", 100<<20)
	bar.written(10 << 20)
	time.Sleep(1100 * time.Millisecond) // time left is shown in seconds
	bar.written(20 << 20)
	bar.end()
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

func TestProgressShowsLinesElsewhere(t *testing.T) {
	var out bytes.Buffer
	bar := newProgress(&out, "fo\to", 100)
	bar.written(50)
	if out.Len() != 0 {
		t.Errorf("%q at once", out.String())
	}
	bar.every = 20 * time.Millisecond
	time.Sleep(30 * time.Millisecond)
	bar.set(50, "3 of 6 images")
	bar.set(51, "3 of 6 images")
	bar.end()
	if got, want := out.String(), "fo\\to: 50% done, 3 of 6 images, about 0s left\n"; got != want {
		t.Errorf("%q, want one line %q", got, want)
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
