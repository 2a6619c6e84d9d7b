package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"imgexportfs/bundle/source"
	"imgexportfs/tablesdump"
)

// csvBackend reads a directory with one file TABLE.csv for each table, as
// xCAT's dumpxCATdb and tabdump write it: a backup of the database. As after
// tabrestore, an empty value counts as not set.
type csvBackend struct{ tableFiles }

func newCSVBackend(root *source.Root, dir string) *csvBackend {
	return &csvBackend{newTableFiles(root, dir, CSV)}
}

// Load reads all tables, again if a file changes meanwhile.
func (b *csvBackend) Load(ctx context.Context) (Tables, Version, error) {
	tables, states, rested, err := b.readAtRest(ctx, b.readAll)
	if err != nil {
		return nil, "", err
	}
	if !rested {
		return nil, "", fmt.Errorf("the tables in %s change all the time while they are read: try again when the dump is whole", b.dir)
	}
	return tables, b.version(states), nil
}

func (b *csvBackend) readAll(ctx context.Context, states map[string]fileState) (Tables, error) {
	tables := make(Tables, len(schema))
	for _, t := range schema {
		if _, found := states[t.name]; !found || ctx.Err() != nil {
			continue
		}
		table, err := b.readTable(t)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		tables[t.name] = table
	}
	return tables, nil
}

func (b *csvBackend) readTable(t tableSpec) (Table, error) {
	file := b.file(t.name)
	f, err := b.root.Open(file)
	if err != nil {
		return Table{}, hint(err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(f)
	if err != nil {
		return Table{}, err
	}
	if isDBDCSV(t, text) {
		return Table{}, fmt.Errorf("%s is a table of xCAT's own CSV: database, whose first line has no #, and not a dump: write dumps with dumpxCATdb -p DIR, and name them by --cfgloc CSV:DIR", file)
	}
	dump, err := tablesdump.ReadCSV(text)
	if err != nil {
		return Table{}, fmt.Errorf("%s: %w: make the dump again with tabdump or dumpxCATdb", file, err)
	}
	if !slices.Contains(dump.Columns, t.columns[0]) {
		return Table{}, fmt.Errorf("%s has no column %s, so it is not a dump of that table: name the directory of the dumps by --cfgloc", file, t.columns[0])
	}
	return tableOfDump(t, dump), nil
}

// isDBDCSV reports whether text is a table of Perl's DBD::CSV, in which xCAT can keep a
// site: its first line names the columns, but without a #. Its values mean other things
// than those of a dump, so it is not read.
func isDBDCSV(t tableSpec, text []byte) bool {
	line, _, _ := strings.Cut(string(text), "\n")
	if strings.HasPrefix(line, "#") {
		return false
	}
	for name := range strings.SplitSeq(line, ",") {
		if strings.Trim(name, "\" \r") == t.columns[0] {
			return true
		}
	}
	return false
}

// tableOfDump takes the columns of the schema out of a dump.
func tableOfDump(t tableSpec, dump tablesdump.Dump) Table {
	var table Table
	var places []int
	for _, column := range t.columns {
		if i := slices.Index(dump.Columns, column); i >= 0 {
			table.Columns, places = append(table.Columns, column), append(places, i)
		}
	}
	for _, fields := range dump.Rows {
		row := make([]sql.NullString, len(places))
		for i, place := range places {
			row[i] = sql.NullString{String: fields[place].Text, Valid: fields[place].Set}
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// Dump reads the tables of a site that exports use, once, and returns them as xCAT's
// tabdump would write them: all columns of the schema, and all rows, disabled ones too, in the
// order in which the database gives them. A table that the database does not
// have has no rows here. The names are those of tabdump's files.
func Dump(ctx context.Context, cfg Config) ([]NamedDump, error) {
	root, spec, backend, err := find(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = errors.Join(backend.Close(), root.Close()) }()
	ctx, cancel := limited(ctx, spec.String())
	defer cancel()
	tables, _, err := backend.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the site's database: %w", cmp.Or(context.Cause(ctx), err))
	}
	dumps := make([]NamedDump, len(schema))
	for i, t := range schema {
		dumps[i] = NamedDump{File: t.name + ".csv", dump: dumpOfTable(t, tables[t.name])}
	}
	return dumps, nil
}

// NamedDump is one table as text, and the name of its file.
type NamedDump struct {
	File string
	dump tablesdump.Dump
}

// WriteText writes the text.
func (d NamedDump) WriteText(w io.Writer) error { return tablesdump.WriteCSV(w, d.dump) }

// Rows returns the number of rows.
func (d NamedDump) Rows() int { return len(d.dump.Rows) }

func dumpOfTable(t tableSpec, table Table) tablesdump.Dump {
	dump := tablesdump.Dump{Columns: t.columns}
	for _, values := range table.Rows {
		fields := make([]tablesdump.Field, len(t.columns))
		for i, column := range t.columns {
			if at := slices.Index(table.Columns, column); at >= 0 {
				fields[i] = tablesdump.Field{Text: values[at].String, Set: values[at].Valid}
			}
		}
		dump.Rows = append(dump.Rows, fields)
	}
	return dump
}
