package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Errors of the fake server, and what they mean.
var (
	errLost    = errors.New("the connection is lost")
	errChanged = errors.New("a table has changed")
	errDenied  = errors.New("denied")
)

// fakeServer is a server that keeps a script of what goes wrong.
type fakeServer struct {
	script   []error // of the next calls of connect and query; nil is none
	connects int
	open     int
	tables   map[string][]string
	sum      string // of every digest
	engines  bool   // whether all tables are transactional
	queries  []string
}

func newFakeServer() *fakeServer {
	return &fakeServer{engines: true, sum: "1", tables: map[string][]string{"osimage": {"imagename", "extra", "comments"}, "linuximage": {"imagename"}}}
}

func (f *fakeServer) next() error {
	if len(f.script) == 0 {
		return nil
	}
	err := f.script[0]
	f.script = f.script[1:]
	return err
}

func (f *fakeServer) connect(context.Context) (session, error) {
	f.connects++
	if err := f.next(); err != nil {
		return nil, err
	}
	f.open++
	return f, nil
}

func (f *fakeServer) quote(name string) string { return "<" + name + ">" }

func (f *fakeServer) rowHash(_ session, columns []column) string { return fmt.Sprint(columns) }

func (f *fakeServer) inUTF8(c column) string { return "converted " + c.name }

func (f *fakeServer) sift(err error) mishap {
	return mishap{lost: errors.Is(err, errLost), passing: errors.Is(err, errChanged), hint: map[bool]string{true: "ask for it"}[errors.Is(err, errDenied)]}
}

func (f *fakeServer) begin(context.Context) error            { return nil }
func (f *fakeServer) isolated(context.Context) (bool, error) { return f.engines, nil }
func (f *fakeServer) end(context.Context) error              { return nil }
func (f *fakeServer) close()                                 { f.open-- }

func (f *fakeServer) columns(context.Context, bool) (map[string][]column, error) {
	have := map[string][]column{}
	for table, names := range f.tables {
		for _, name := range names {
			have[table] = append(have[table], column{name: name})
		}
	}
	return have, nil
}

func (f *fakeServer) query(_ context.Context, statement string, row func([][]byte)) error {
	f.queries = append(f.queries, statement)
	if err := f.next(); err != nil {
		return err
	}
	switch {
	case strings.Contains(statement, "COUNT(*)"):
		if f.sum == "rising" {
			row([][]byte{[]byte("osimage"), []byte("1"), fmt.Append(nil, len(f.queries))})
		} else {
			row([][]byte{[]byte("osimage"), []byte("1"), []byte(f.sum)})
		}
	case strings.Contains(statement, "<comments>"):
		row([][]byte{[]byte("i"), nil})
		row([][]byte{[]byte("j"), {}})
	default:
		row([][]byte{[]byte("i")})
	}
	return nil
}

func newFakeServerBackend(f *fakeServer) *serverBackend {
	return newServerBackend(Spec{Kind: MySQL, Place: "dbname=x"}, f)
}

func TestServerReadsColumnsOfTheSchemaAlone(t *testing.T) {
	f := newFakeServer()
	b := newFakeServerBackend(f)
	tables, loaded, err := b.Load(t.Context())
	must(t, err)
	table := tables["osimage"]
	if !slices.Equal(table.Columns, []string{"imagename", "comments"}) || len(table.Rows) != 2 || len(tables) != 2 {
		t.Fatalf("got %+v", tables)
	}
	if v := table.Rows[0][1]; v.Valid {
		t.Errorf("NULL is %+v", v)
	}
	if v := table.Rows[1][1]; !v.Valid || v.String != "" {
		t.Errorf("'' is %+v", v)
	}
	if now, err := b.Version(t.Context()); err != nil || now != loaded {
		t.Errorf("version %q, loaded %q, %v", now, loaded, err)
	}
	f.sum = "2"
	if now, err := b.Version(t.Context()); err != nil || now == loaded {
		t.Errorf("another sum does not show, %v", err)
	}
	f.sum = "1"
	f.tables["osimage"] = append(f.tables["osimage"], "groups")
	if now, err := b.Version(t.Context()); err != nil || now == loaded {
		t.Errorf("another column does not show, %v", err)
	}
	must(t, b.Close())
	if f.open != 0 || f.connects != 1 {
		t.Errorf("%d connections, %d of them open", f.connects, f.open)
	}
}

func TestServerMishaps(t *testing.T) {
	for name, c := range map[string]struct {
		used     bool // whether the connection has been used before
		script   []error
		connects int
		fails    error
	}{
		"an idle connection is gone":              {true, []error{errLost}, 2, nil},
		"and the server with it":                  {true, []error{errLost, errLost}, 2, errLost},
		"a new connection is gone":                {false, []error{nil, errLost}, 1, errLost},
		"nobody answers":                          {false, []error{errLost}, 1, errLost},
		"tables change once":                      {false, []error{nil, nil, errChanged}, 2, nil},
		"tables change all the time":              {false, []error{nil, errChanged, nil, errChanged, nil, errChanged, nil, errChanged, nil, errChanged, nil}, 5, errChanged},
		"a right is missing":                      {true, []error{errDenied}, 1, errDenied},
		"gone while tables change, and then back": {true, []error{errChanged, nil, nil, errLost}, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeServer()
			b := newFakeServerBackend(f)
			if c.used {
				_, _, err := b.Load(t.Context())
				must(t, err)
			}
			f.script = c.script
			_, _, err := b.Load(t.Context())
			if !errors.Is(err, c.fails) || (err == nil) != (c.fails == nil) || f.connects != c.connects {
				t.Errorf("%v after %d connections, want %v after %d", err, f.connects, c.fails, c.connects)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), "database mysql:dbname=x: ") || f.open != 0) {
				t.Errorf("error %q, %d connections open", err, f.open)
			}
			if errors.Is(err, errDenied) && !strings.HasSuffix(err.Error(), ": ask for it") {
				t.Errorf("error %q lacks the next step", err)
			}
			if f.script = nil; err != nil {
				if _, _, err := b.Load(t.Context()); err != nil {
					t.Errorf("it never recovers: %v", err)
				}
			}
		})
	}
}

// Tables of an engine without transactions are read until they rest, and then
// as they are, with a version that has them read again.
func TestServerReadsTablesThatChangeMeanwhile(t *testing.T) {
	f := newFakeServer()
	f.engines, f.sum = false, "rising"
	b := newFakeServerBackend(f)
	_, loaded, err := b.Load(t.Context())
	must(t, err)
	f.sum = "1"
	if now, err := b.Version(t.Context()); err != nil || now == loaded {
		t.Errorf("tables that never rest count as read, %v", err)
	}
	before := len(f.queries)
	_, loaded, err = b.Load(t.Context())
	must(t, err)
	if n := len(f.queries) - before; n != 4 {
		t.Errorf("%d queries, want two digests and two tables", n)
	}
	if now, err := b.Version(t.Context()); err != nil || now != loaded {
		t.Errorf("tables at rest change, %v", err)
	}
}

func TestServerWithoutItsTablesIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		tables map[string][]string
		says   string
	}{
		"none":        {nil, "no table osimage"},
		"one of two":  {map[string][]string{"osimage": {"imagename"}}, "no table linuximage"},
		"of another":  {map[string][]string{"osimage": {"a", "b"}, "linuximage": {"imagename"}}, "table osimage has no column imagename"},
		"without key": {map[string][]string{"osimage": {"imagename"}, "linuximage": {"imagename"}, "kit": {"version"}}, "table kit has no column kitname"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeServer()
			f.tables = c.tables
			_, _, err := newFakeServerBackend(f).Load(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "cfgloc") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A table that another program's has taken the place of is named. It is not asked for a
// digest of the columns that are known, of which there are none: servers refuse that.
func TestServerNamesATableThatWasReplaced(t *testing.T) {
	f := newFakeServer()
	b := newFakeServerBackend(f)
	_, loaded, err := b.Load(t.Context())
	must(t, err)
	f.tables["osimage"] = []string{"a", "b"}
	f.script = []error{errDenied} // of a digest
	if now, err := b.Version(t.Context()); err != nil || now == loaded {
		t.Errorf("other columns do not show, %v", err)
	}
	f.script = nil
	if _, _, err := b.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "table osimage has no column imagename") {
		t.Errorf("got %v", err)
	}
}
