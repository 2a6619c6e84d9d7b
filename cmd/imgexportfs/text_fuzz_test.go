package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"imgexportfs/fs"
)

// steering are texts that do something on a terminal.
var steering = []string{"plain", "\x1b[2J", "\x1b]0;t\a", "\r\n", "\x00", "\x7f", "\x9b31m", "\u009b31m", "\u202egnp", "\u2066", "\xff\xfe", "\u2028", "\ufeff", "é日本", `\`, `"`, "\U000e0001"}

// isHarmless reports whether a terminal shows a text as it is, on one line.
func isHarmless(text string) bool {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(text)
}

// FuzzEscaped holds the text for terminals to this: nothing in it steers one, and what does
// not steer one stays as it is.
func FuzzEscaped(f *testing.F) {
	for _, text := range steering {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := escaped(text)
		if !isHarmless(got) || isHarmless(text) && got != text || escaped(got) != got {
			t.Errorf("%q is escaped as %q", text, got)
		}
	})
}

// FuzzLog holds the log to this: whatever a message holds, it is one line that steers no
// terminal, in either form, and as JSON it can be read again.
func FuzzLog(f *testing.F) {
	for _, text := range steering {
		f.Add(text, "key", text)
		f.Add("message", text, "value")
	}
	f.Fuzz(func(t *testing.T, message, key, value string) {
		for _, format := range []logFormat{textLog, jsonLog} {
			var out bytes.Buffer
			flags := logFlags{format: format}
			flags.open(&out, &fs.Journal{}).Error(message, key, value, slog.Group("g", "k", value))
			line, ended := strings.CutSuffix(out.String(), "\n")
			if !ended || !isHarmless(line) {
				t.Errorf("%s log of %q, %q, %q: %q", format, message, key, value, out.String())
			}
			if format == jsonLog && !json.Valid([]byte(line)) {
				t.Errorf("no JSON: %q", line)
			}
		}
	})
}

// FuzzShellQuoted holds what is sent to a login shell to this: the shell takes it for one
// word with these bytes.
func FuzzShellQuoted(f *testing.F) {
	for _, text := range append(steering, "", "'", `'\''`, "$(id)", "`id`", "a b", "-n", "!", "*") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "\x00") || len(text) > 10_000 {
			return // no argument holds it
		}
		out, err := exec.Command("sh", "-c", "printf '%s|%s' "+shellQuoted(text)+" end").Output()
		if want := text + "|end"; err != nil || string(out) != want {
			t.Errorf("the shell takes %q for %q, %v", text, out, err)
		}
	})
}
