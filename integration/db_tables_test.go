package integration

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// dbTables are the tables that exports read.
var dbTables = []string{"osimage", "linuximage", "kit", "kitrepo", "kitcomponent", "litefile", "postscripts", "nodelist", "nodegroup", "site"}

// dbColumn is a column as xCAT defines it.
type dbColumn struct {
	name, kind string
	key        bool
}

// tableCopy is a table out of a site's SQLite file.
type tableCopy struct {
	name    string
	columns []dbColumn
	rows    [][][]byte // nil is NULL
}

// copyTable reads a table of the site below root, whatever bytes it holds.
func copyTable(t *testing.T, root, name string) tableCopy {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(root, "etc/xcat", name+".sqlite")+"?mode=ro")
	must(t, err)
	defer func() { _ = db.Close() }()
	c := tableCopy{name: name}
	info, err := db.Query("SELECT name, type, pk > 0 FROM pragma_table_info(?)", name)
	must(t, err)
	var exprs []string
	for info.Next() {
		var column dbColumn
		must(t, info.Scan(&column.name, &column.kind, &column.key))
		c.columns = append(c.columns, column)
		exprs = append(exprs, `CAST("`+column.name+`" AS TEXT)`)
	}
	must(t, info.Err())
	rows, err := db.Query(`SELECT ` + strings.Join(exprs, ", ") + ` FROM "` + name + `" ORDER BY rowid`)
	must(t, err)
	for rows.Next() {
		texts := make([]sql.NullString, len(c.columns))
		into := make([]any, len(texts))
		for i := range texts {
			into[i] = &texts[i]
		}
		must(t, rows.Scan(into...))
		row := make([][]byte, len(texts))
		for i, text := range texts {
			if text.Valid {
				row[i] = []byte(text.String)
			}
		}
		c.rows = append(c.rows, row)
	}
	must(t, rows.Err())
	return c
}

// definition is the statement that creates the table, in xCAT's column types:
// VARCHAR for the key, TEXT for all else.
func (c tableCopy) definition(s dbServer) string {
	var columns, keys []string
	for _, column := range c.columns {
		if column.key {
			column.kind = "VARCHAR(128)"
			keys = append(keys, s.quote(column.name))
		}
		columns = append(columns, s.quote(column.name)+" "+column.kind)
	}
	return fmt.Sprintf("CREATE TABLE %s (%s, PRIMARY KEY (%s))", s.quote(c.name), strings.Join(columns, ", "), strings.Join(keys, ", "))
}

// loadInto creates the table in a database of the server.
func (c tableCopy) loadInto(t *testing.T, s dbServer, database string) {
	t.Helper()
	s.exec(t, database, c.definition(s))
	const batch = 50
	for start := 0; start < len(c.rows); start += batch {
		var tuples []string
		var args [][]byte
		for _, row := range c.rows[start:min(start+batch, len(c.rows))] {
			marks := make([]string, len(row))
			for i, value := range row {
				if value == nil {
					marks[i] = "NULL"
					continue
				}
				args = append(args, value)
				marks[i] = s.mark(len(args))
			}
			tuples = append(tuples, "("+strings.Join(marks, ", ")+")")
		}
		s.exec(t, database, "INSERT INTO "+s.quote(c.name)+" VALUES "+strings.Join(tuples, ", "), args...)
	}
}

// loadSite makes a database with the tables of the site below root, which the
// reader may read.
func loadSite(t *testing.T, s dbServer, database, root string) {
	t.Helper()
	s.create(t, database)
	for _, name := range dbTables {
		copyTable(t, root, name).loadInto(t, s, database)
	}
	s.grant(t, database, "")
}
