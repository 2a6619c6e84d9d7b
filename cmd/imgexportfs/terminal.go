package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"imgexportfs/fs"
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

// terminalSafe writes lines of JSON, and of the log, so that they steer no terminal: see
// fs.SafeJSON. The log's text form escapes all but DEL itself. Each Write is whole lines.
type terminalSafe struct{ w io.Writer }

func (t terminalSafe) Write(lines []byte) (int, error) {
	if _, err := t.w.Write(fs.SafeJSON(lines)); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// newJSONEncoder returns what prints JSON for people and programs.
func newJSONEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(terminalSafe{w})
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder
}

// counted is a number of things in English: "1 problem", "2 problems".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
