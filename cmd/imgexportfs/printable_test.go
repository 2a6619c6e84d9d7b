package main

import (
	"os"
	"testing"
)

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
