package xcat

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/bundle"
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

// open opens the site; every look is at the database.
func (s *testSite) open() *Site {
	s.t.Helper()
	site, err := OpenSite(context.Background(), Config{Root: s.root, Getenv: noEnv})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = site.Close() })
	return site
}

// export exports an image of the site.
func (s *testSite) export(req Request) *Export {
	s.t.Helper()
	site := s.open()
	catalog, err := site.Catalog(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	e, err := catalog.Export(s.t.Context(), site.Root(), req)
	if err != nil {
		s.t.Fatal(err)
	}
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
