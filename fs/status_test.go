package fs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

func TestReportSaysSinceWhenTheDatabaseIsLost(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	lost := xcat.Status{Database: "mysql xcatdb on db", Images: 7, Err: errors.New("connection refused"), Since: since, Retry: since.Add(15 * time.Second)}
	for _, c := range []struct {
		site xcat.Status
		want []string
		not  []string
	}{
		{lost, []string{`"images":7`, `"database_error":"connection refused"`, `"database_error_since":"2026-01-02T03:04:05Z"`, `"database_retry":"2026-01-02T03:04:20Z"`}, nil},
		{xcat.Status{Database: "SQLite /etc/xcat"}, []string{`"database":"SQLite /etc/xcat"`, `"budget_bytes":10`, `"used_bytes":3`, `"readers":2`}, []string{"error", "retry"}},
	} {
		text, err := json.Marshal(newReport(c.site, bundle.Stats{Budget: 10, Used: 3, Readers: 2}, since))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
		for _, not := range c.not {
			if strings.Contains(string(text), not) {
				t.Errorf("%s in %s", not, text)
			}
		}
	}
}

func TestJournalKeepsTheLastWholeLines(t *testing.T) {
	var j Journal
	var all strings.Builder
	for i := range 5000 {
		line := fmt.Sprintf("line %d %s\n", i, strings.Repeat("x", i%70))
		all.WriteString(line)
		if n, err := j.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
		text := j.Text()
		if len(text) > journalMax || len(text) < min(all.Len(), journalMax-200) {
			t.Fatalf("%d bytes are kept of %d", len(text), all.Len())
		}
		if !strings.HasSuffix(all.String(), string(text)) || !bytes.HasPrefix(text, []byte("line ")) {
			t.Fatalf("after %d lines the journal starts with %.40q", i, text)
		}
	}
}

func TestJournalTakesALineLongerThanItself(t *testing.T) {
	var j Journal
	for _, line := range []string{"before\n", strings.Repeat("y", 2*journalMax) + "\n", "after\n"} {
		if _, err := j.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(j.Text()); got != "after\n" {
		t.Errorf("%.40q", got)
	}
}

func TestNoJournalHasNoText(t *testing.T) {
	var j *Journal
	if len(j.Text()) != 0 {
		t.Error("text without a journal")
	}
}
