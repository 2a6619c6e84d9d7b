package xcat

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"

	"imgexportfs/bundle/source"
	"imgexportfs/tablesdump"
)

// csvBackend reads a directory with one file TABLE.csv for each table, as
// xCAT's dumpxCATdb and tabdump write it: a backup of the database. As after
// tabrestore, a value that was empty is one that was never set.
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
	dump, err := tablesdump.ReadCSV(text)
	if err != nil {
		return Table{}, fmt.Errorf("%s: %w: make the dump again with tabdump or dumpxCATdb", file, err)
	}
	if !slices.Contains(dump.Columns, t.columns[0]) {
		return Table{}, fmt.Errorf("%s has no column %s, so it is not a dump of that table: name the directory of the dumps by --cfgloc", file, t.columns[0])
	}
	return tableOfDump(t, dump), nil
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
