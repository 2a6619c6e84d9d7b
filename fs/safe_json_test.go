package fs

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestSafeJSONMeansTheSameAndSteersNoTerminal(t *testing.T) {
	const hostile = "a\x1b[2J\u009b31m\u202e\u2066\x7f\u0085\U000e0001 é 日本 \\ \""
	text, err := json.MarshalIndent(map[string]string{"k": hostile}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	safe := SafeJSON(text)
	if strings.ContainsFunc(string(safe), func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }) {
		t.Errorf("%q steers a terminal", safe)
	}
	var read map[string]string
	if err := json.Unmarshal(safe, &read); err != nil || read["k"] != hostile {
		t.Errorf("%s is read as %q, %v", safe, read["k"], err)
	}
}

func TestProblemsHoldNoCharacterThatSteersATerminal(t *testing.T) {
	if got, want := printable("a\x1b\u009b\u202e\U000e0001\xff\né"), `a\x1b\u009b\u202e\U000e0001\xff\né`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
