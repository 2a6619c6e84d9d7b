package metrics

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"imgexportfs/bundle"
	"imgexportfs/bundle/disk"
	"imgexportfs/xcat"
)

func sample() State {
	return State{
		Site: xcat.Status{Err: errors.New("lost"), Looks: 7, Failed: 3, Loads: 1, Looking: 1500 * time.Millisecond, Looked: time.Unix(1700000000, 0)},
		Engine: bundle.Stats{
			Budget: 10, Used: 3, Readers: 2, Deflated: 4, Stored: 5, Chunks: 6, Found: 8,
			Sized: 2, SizingFailed: 1, Sizing: 3 * time.Second,
			Passes: []bundle.Pass{{Done: 1, Total: 10}, {Done: 2, Total: 20}},
			Disk:   disk.Stats{Limit: 100, Used: 50, Found: 9, Written: 11, Failed: 12},
		},
		Images: Images{Good: 1, Problems: 2, Refused: 3, Unknown: 4}, Queued: 13,
	}
}

func TestTextShowsStateAndRequests(t *testing.T) {
	m := New("1.2.3", sample)
	m.Request(Open)
	m.Failed(Stale)
	m.ReadDone(Bundle, 1000, time.Now().Add(-time.Second))
	m.ReadDone(Bundle, 24, time.Now())
	lines := strings.Split(string(m.Text()), "\n")
	for _, want := range []string{
		`imgexportfs_images{state="refused"} 3`,
		`imgexportfs_database_failing 1`,
		`imgexportfs_database_look_duration_seconds_sum 1.5`,
		`imgexportfs_database_look_duration_seconds_count 7`,
		`imgexportfs_database_look_failures_total 3`,
		`imgexportfs_rows_checked_timestamp_seconds 1.7e+09`,
		`imgexportfs_segments_made_total{kind="deflated"} 4`,
		`imgexportfs_segments_made_total{kind="tree"} 6`,
		`imgexportfs_segments_found_total{where="disk"} 9`,
		`imgexportfs_cache_write_failures_total 12`,
		`imgexportfs_sizing_bundles 2`,
		`imgexportfs_sizing_done_bytes 3`,
		`imgexportfs_sizing_total_bytes 30`,
		`imgexportfs_sizing_queued_bundles 13`,
		`imgexportfs_requests_total{operation="open"} 1`,
		`imgexportfs_requests_total{operation="list"} 0`,
		`imgexportfs_errors_total{kind="stale"} 1`,
		`imgexportfs_read_bytes_total{kind="bundle"} 1024`,
		`imgexportfs_read_duration_seconds_bucket{kind="bundle",le="0.2"} 1`,
		`imgexportfs_read_duration_seconds_count{kind="bundle"} 2`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %s", want)
		}
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, `version="1.2.3"`) {
		t.Error("no version")
	}
}

// The official linter knows the conventions for names, units and help.
func TestNamesFollowTheConventions(t *testing.T) {
	problems, err := promlint.New(bytes.NewReader(New("1", sample).Text())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestHandlerLooksFirst(t *testing.T) {
	looked := false
	answer := httptest.NewRecorder()
	New("1", func() State {
		if !looked {
			t.Error("the metrics are shown before the look")
		}
		return sample()
	}).Handler(func(context.Context) { looked = true }).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != 200 || !strings.Contains(answer.Body.String(), "imgexportfs_readers 2") {
		t.Errorf("%d: %s", answer.Code, answer.Body)
	}
}

// BenchmarkRead is what a read pays for being counted.
func BenchmarkRead(b *testing.B) {
	m := New("1", sample)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			began := time.Now()
			m.Request(Read)
			m.ReadDone(Bundle, 1<<20, began)
		}
	})
}
