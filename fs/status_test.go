package fs

import (
	"encoding/json"
	"errors"
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
