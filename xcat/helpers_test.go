package xcat

import (
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
	"imgexportfs/xcat/db"
)

// testSite is a directory that stands for "/", and the tables of a site.
type testSite struct {
	t    *testing.T
	root string
	rows map[string][]Row
}

// newTestSite makes a site whose tables are empty.
func newTestSite(t *testing.T) *testSite {
	t.Helper()
	return &testSite{t: t, root: t.TempDir(), rows: map[string][]Row{}}
}

// insert adds a row.
func (s *testSite) insert(table string, row Row) { s.rows[table] = append(s.rows[table], row) }

// set sets a column of all rows.
func (s *testSite) set(table, column, value string) {
	for _, row := range s.rows[table] {
		row[column] = value
	}
}

// catalog returns the rows as a catalog.
func (s *testSite) catalog() *Catalog { return newCatalog(tablesOf(s.rows)) }

// tablesOf makes tables whose columns are those of their rows.
func tablesOf(rows map[string][]Row) db.Tables {
	tables := db.Tables{}
	for name, list := range rows {
		all := Row{}
		for _, row := range list {
			maps.Copy(all, row)
		}
		table := db.Table{Columns: slices.Sorted(maps.Keys(all))}
		for _, row := range list {
			values := make([]sql.NullString, len(table.Columns))
			for i, column := range table.Columns {
				values[i].String, values[i].Valid = row[column], hasKey(row, column)
			}
			table.Rows = append(table.Rows, values)
		}
		tables[name] = table
	}
	return tables
}

func hasKey(row Row, column string) bool {
	_, has := row[column]
	return has
}

// write makes a file below the root.
func (s *testSite) write(name, content string, mode os.FileMode) {
	s.t.Helper()
	file := filepath.Join(s.root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		s.t.Fatal(err)
	}
}

// image adds an image that can be exported, with a template of its own.
func (s *testSite) image(name string, linuximage Row) {
	s.t.Helper()
	s.insert("osimage", Row{"imagename": name, "provmethod": "install", "profile": "p", "osvers": "rh9", "osarch": "x86_64"})
	row := Row{"imagename": name, "template": "/install/t.tmpl"}
	for column, value := range linuximage {
		row[column] = value
	}
	s.insert("linuximage", row)
	s.write("install/t.tmpl", "template", 0o644)
}

func (s *testSite) openRoot() *source.Root {
	s.t.Helper()
	root, err := source.OpenRoot(s.root)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = root.Close() })
	return root
}

// export exports an image of the site.
func (s *testSite) export(req Request) *Export {
	s.t.Helper()
	e, err := s.catalog().Export(s.t.Context(), s.openRoot(), req)
	must(s.t, err)
	return e
}

// texts returns messages as people see them.
func texts(messages []Message) []string {
	out := make([]string, len(messages))
	for i, m := range messages {
		out[i] = m.String()
	}
	return out
}

// memberNames returns the names of the members in order.
func memberNames(e *Export) []string {
	out := make([]string, len(e.Members))
	for i, m := range e.Members {
		out[i] = m.Name
	}
	return out
}

// member returns the member with the name.
func member(t *testing.T, e *Export, name string) bundle.Member {
	t.Helper()
	for _, m := range e.Members {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no member %s among %q", name, memberNames(e))
	return bundle.Member{}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, dir, name string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
}
