package db

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imgexportfs/bundle/source"
)

func noEnv(string) string { return "" }

// testSite is a directory that stands for "/" with the tables of a site.
type testSite struct {
	t    *testing.T
	root string
	dir  string // of the tables
}

// newTestSite makes a site whose tables are empty.
func newTestSite(t *testing.T) *testSite {
	t.Helper()
	s := &testSite{t: t, root: t.TempDir()}
	s.dir = filepath.Join(s.root, "etc/xcat")
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, table := range schema {
		columns := make([]string, len(table.columns))
		for i, c := range table.columns {
			columns[i] = `"` + c + `" TEXT`
		}
		s.exec(table.name, `CREATE TABLE "`+table.name+`" (`+strings.Join(columns, ", ")+`)`)
	}
	return s
}

func (s *testSite) table(name string) string { return filepath.Join(s.dir, name+".sqlite") }

// exec runs statements on a table's file.
func (s *testSite) exec(table, statement string, args ...any) {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.table(table)+"?_pragma=synchronous(0)")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement, args...); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// insert adds a row.
func (s *testSite) insert(table string, row Row) {
	s.t.Helper()
	var columns, marks []string
	var args []any
	for column, value := range row {
		columns = append(columns, `"`+column+`"`)
		marks = append(marks, "?")
		args = append(args, value)
	}
	s.exec(table, `INSERT INTO "`+table+`" (`+strings.Join(columns, ",")+`) VALUES (`+strings.Join(marks, ",")+`)`, args...)
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

func (s *testSite) openRoot() *source.Root {
	s.t.Helper()
	root, err := source.OpenRoot(s.root)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = root.Close() })
	return root
}

// rowsOf is what the tests of this package arrange tables as.
func rowsOf(tables Tables) *Tables { return &tables }

// images returns the names of the visible images.
func images(tables *Tables) []string {
	var names []string
	for _, row := range (*tables)["osimage"].Visible() {
		names = append(names, row["imagename"])
	}
	return names
}

// open opens the site; every look is at the database.
func (s *testSite) open() *Site[Tables] {
	s.t.Helper()
	site, err := Open(context.Background(), Config{Root: s.root, Getenv: noEnv}, rowsOf)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = site.Close() })
	return site
}

// tableOf makes a table of the schema's columns.
func tableOf(name string, rows ...Row) Table {
	spec := schema[slices.IndexFunc(schema, func(s tableSpec) bool { return s.name == name })]
	t := Table{Columns: spec.columns}
	for _, row := range rows {
		values := make([]sql.NullString, len(spec.columns))
		for i, c := range spec.columns {
			if v, ok := row[c]; ok {
				values[i] = text(v)
			}
		}
		t.Rows = append(t.Rows, values)
	}
	return t
}
