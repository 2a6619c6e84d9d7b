package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"imgexportfs/fs"
)

// What a row of the database holds reaches the log with no character that a terminal
// obeys, and the text form of the journal too.
func TestNoControlCharacterReachesTheLog(t *testing.T) {
	const hostile = "a\x1b[31mb\u009b2Jc\x7fd\re\nf\xffg\u0085\u202e"
	for _, format := range []logFormat{textLog, jsonLog} {
		var stderr bytes.Buffer
		journal := &fs.Journal{}
		f := newLogFlags()
		f.format = format
		f.open(&stderr, journal).Warn("said "+hostile, "image", hostile)
		for name, line := range map[string]string{"stderr": stderr.String(), "journal": string(journal.Text())} {
			if body := strings.TrimSuffix(line, "\n"); !strings.Contains(body, "a") || strings.ContainsFunc(body, unicode.IsControl) || strings.Contains(body, "\xff") {
				t.Errorf("%s, %s: %q", format, name, line)
			}
		}
		if format == jsonLog {
			var line struct{ Image string }
			if err := json.Unmarshal(stderr.Bytes(), &line); err != nil || !strings.HasPrefix(line.Image, "a\x1b[31mb\u009b2Jc\x7fd\re\nf") {
				t.Errorf("the line is no JSON of the text: %v: %q", err, line.Image)
			}
		}
	}
}

func TestLogLevels(t *testing.T) {
	for _, c := range []struct {
		level   string
		verbose bool
		want    int // lines on standard error
	}{
		{"", false, 3}, {"debug", false, 4}, {"info", false, 3}, {"warn", false, 2}, {"error", false, 1}, {"error", true, 4},
	} {
		var stderr bytes.Buffer
		journal := &fs.Journal{}
		f := newLogFlags()
		f.verbose = c.verbose
		if c.level != "" {
			if err := f.level.Set(c.level); err != nil {
				t.Fatal(err)
			}
		}
		log := f.open(&stderr, journal)
		log.Debug("x")
		log.Info("x")
		log.Warn("x")
		log.Error("x")
		if got := strings.Count(stderr.String(), "\n"); got != c.want {
			t.Errorf("level %q, verbose %v: %d lines, want %d", c.level, c.verbose, got, c.want)
		}
		if got := strings.Count(string(journal.Text()), "\n"); got != 3 {
			t.Errorf("level %q: the journal has %d lines, want those from info on", c.level, got)
		}
	}
}
