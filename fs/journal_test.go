package fs

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

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
