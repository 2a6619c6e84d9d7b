package db

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"imgexportfs/bundle/source"
)

// A state is believed when another change would have another time. How long that takes
// depends on the file system, and it shows in the times.
func TestAStateIsSettledWhenAnotherChangeWouldShow(t *testing.T) {
	whole, fine := int64(1_700_000_000e9), int64(1_700_000_000e9+123)
	old := source.Identity{MtimeNs: fine - 3600e9, CtimeNs: fine - 3600e9}
	for name, c := range map[string]struct {
		state   fileState
		age     time.Duration // since the second of the change
		settled bool
	}{
		"whole seconds, at once":         {fileState{main: source.Identity{MtimeNs: whole, CtimeNs: whole}}, 0, false},
		"whole seconds, two later":       {fileState{main: source.Identity{MtimeNs: whole, CtimeNs: whole}}, 2 * time.Second, false},
		"whole seconds, four later":      {fileState{main: source.Identity{MtimeNs: whole, CtimeNs: whole}}, 4 * time.Second, true},
		"fractions, at once":             {fileState{main: source.Identity{MtimeNs: fine, CtimeNs: fine}}, time.Millisecond, false},
		"fractions, a second later":      {fileState{main: source.Identity{MtimeNs: fine, CtimeNs: fine}}, time.Second, true},
		"a time that was set":            {fileState{main: source.Identity{MtimeNs: whole, CtimeNs: fine}}, time.Second, true},
		"a change that kept the time":    {fileState{main: source.Identity{MtimeNs: fine - 3600e9, CtimeNs: fine}}, time.Millisecond, false},
		"the log is younger":             {fileState{main: old, wal: source.Identity{MtimeNs: fine, CtimeNs: fine}}, time.Millisecond, false},
		"the journal is younger":         {fileState{main: old, journal: source.Identity{MtimeNs: fine, CtimeNs: fine}}, time.Millisecond, false},
		"the future, as of another host": {fileState{main: source.Identity{MtimeNs: fine, CtimeNs: fine}}, -time.Hour, true},
	} {
		if got := isSettled(c.state, time.Unix(0, whole).Add(c.age)); got != c.settled {
			t.Errorf("%s: settled %v", name, got)
		}
	}
}

// What was read while another change could have come unseen is read again.
func TestSQLiteReadsUnsettledTablesAgain(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "real"})
	for _, settled := range []bool{true, false} {
		b := s.backend()
		s.settle(b)
		s.load(b)
		have := b.read["osimage"]
		have.settled = settled
		have.table = Table{Columns: []string{"imagename"}, Rows: [][]sql.NullString{{text("known")}}}
		b.read["osimage"] = have
		tables, _ := s.load(b)
		want := map[bool]string{true: "known", false: "real"}[settled]
		if got := images(&tables); !slices.Equal(got, []string{want}) {
			t.Errorf("settled %v: images %q, want %s", settled, got, want)
		}
	}
}

// The states of nodes change all the time, and no bundle depends on them.
func TestStatesOfNodesAreNoChange(t *testing.T) {
	f := newFakeServer()
	for _, table := range schema {
		f.tables[table.name] = table.columns
	}
	_, _, err := newFakeServerBackend(f).Load(t.Context())
	must(t, err)
	digests := 0
	for _, query := range f.queries {
		if !strings.Contains(query, "COUNT(*)") {
			continue
		}
		digests++
		for _, column := range []string{"status", "statustime", "appstatus", "appstatustime", "updatestatus", "updatestatustime"} {
			if strings.Contains(query, "{"+column+" ") {
				t.Errorf("the digest holds %s: %s", column, query)
			}
		}
		for _, column := range []string{"groups", "osvers", "postscripts", "kitdir"} {
			if !strings.Contains(query, "{"+column+" ") {
				t.Errorf("the digest lacks %s: %s", column, query)
			}
		}
	}
	if digests == 0 {
		t.Errorf("no digest in %q", f.queries)
	}
}
