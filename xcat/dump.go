package xcat

import (
	"context"
	"io"
	"slices"

	"imgexportfs/tablesdump"
)

// Dump returns the tables that exports use as xCAT's tabdump would write
// them: all columns of the schema, and all rows, disabled ones too, in the
// order in which the database gives them. A table that the database does not
// have is one without rows. The names are those of tabdump's files.
func (s *Site) Dump(ctx context.Context) ([]NamedDump, error) {
	tables, err := s.tables(ctx)
	if err != nil {
		return nil, err
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
