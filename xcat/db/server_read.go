package db

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// load reads all tables in one transaction.
func (b *serverBackend) load(ctx context.Context, s session) (Tables, Version, error) {
	if err := s.begin(ctx); err != nil {
		return nil, "", err
	}
	have, err := s.columns(ctx, true)
	if err != nil {
		return nil, "", err
	}
	columns := known(have)
	if err := checkLayout(have, columns); err != nil {
		return nil, "", err
	}
	isolated, err := s.isolated(ctx)
	if err != nil {
		return nil, "", err
	}
	tables, version, err := b.readSettled(ctx, s, columns, isolated)
	if err != nil {
		return nil, "", err
	}
	b.read = columns
	return tables, version, s.end(ctx)
}

// readSettled reads the tables and their version. Tables of an engine without
// transactions are read again if they change meanwhile. If they change each time they
// are taken as they are, as by imgexport.
func (b *serverBackend) readSettled(ctx context.Context, s session, l layout, isolated bool) (Tables, Version, error) {
	version, err := b.digest(ctx, s, l)
	if err != nil {
		return nil, "", err
	}
	for n := 1; ; n++ {
		tables, err := b.readAll(ctx, s, l)
		if err != nil || isolated {
			return tables, version, err
		}
		before := version
		if version, err = b.digest(ctx, s, l); err != nil {
			return nil, "", err
		}
		switch {
		case version == before:
			return tables, version, nil
		case n == maxReads:
			return tables, "unsettled", nil // no digest is like this
		}
	}
}

// known returns the columns of the schema among those that tables have. A table that
// has none of them exists, but is not one of xCAT.
func known(have map[string][]column) layout {
	l := layout{}
	for _, t := range schema {
		columns, found := have[t.name]
		if !found {
			continue
		}
		l[t.name] = []column{}
		for _, name := range t.columns {
			if i := slices.IndexFunc(columns, func(c column) bool { return c.name == name }); i >= 0 {
				l[t.name] = append(l[t.name], columns[i])
			}
		}
	}
	return l
}

func checkLayout(have map[string][]column, l layout) error {
	for _, t := range schema {
		columns, found := l[t.name]
		switch {
		case !found && t.required:
			return fmt.Errorf("there is no table %s: name the database of xCAT in the cfgloc", t.name)
		case found && (len(columns) == 0 || columns[0].name != t.columns[0]):
			var names []string
			for _, c := range have[t.name] {
				names = append(names, c.name)
			}
			return fmt.Errorf("table %s has no column %s, so it is not a table of xCAT (its columns: %s): name the database of xCAT in the cfgloc",
				t.name, t.columns[0], strings.Join(names, ", "))
		}
	}
	return nil
}

// digest asks for the digests of all tables at once.
func (b *serverBackend) digest(ctx context.Context, s session, l layout) (Version, error) {
	var parts []string
	for _, t := range schema {
		columns, found := l[t.name]
		if !found {
			continue
		}
		columns = slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return slices.Contains(t.unused, c.name) })
		parts = append(parts, fmt.Sprintf("SELECT '%s', COUNT(*), SUM(%s) FROM %s",
			t.name, b.dialect.rowHash(s, columns), b.dialect.quote(t.name)))
	}
	var version strings.Builder
	err := s.query(ctx, strings.Join(parts, " UNION ALL "), func(values [][]byte) {
		fmt.Fprintf(&version, "%s %v\n", values[0], l[string(values[0])])
		fmt.Fprintf(&version, "%s %s\n", values[1], values[2])
	})
	if err != nil {
		return "", fmt.Errorf("look for changes: %w", err)
	}
	return Version(version.String()), nil
}

func (b *serverBackend) readAll(ctx context.Context, s session, l layout) (Tables, error) {
	tables := make(Tables, len(l))
	for _, t := range schema {
		columns, found := l[t.name]
		if !found {
			continue
		}
		table, err := b.readTable(ctx, s, t.name, columns)
		if err != nil {
			return nil, fmt.Errorf("read table %s: %w", t.name, err)
		}
		tables[t.name] = table
	}
	return tables, nil
}

// readTable reads the columns of a table. If a value is not UTF-8 as it is stored, it reads
// them again together with what the server makes of them; most sites have no such value.
func (b *serverBackend) readTable(ctx context.Context, s session, name string, columns []column) (Table, error) {
	table := Table{Collations: map[string]Collation{}}
	var stored, converted []string
	var foreign []int // the columns that can be converted
	for i, c := range columns {
		table.Columns = append(table.Columns, c.name)
		table.Collations[c.name] = c.collation
		stored = append(stored, b.dialect.quote(c.name))
		if c.isForeign() {
			converted, foreign = append(converted, b.dialect.inUTF8(c)), append(foreign, i)
		}
	}
	odd := false
	err := s.query(ctx, selectColumns(stored, b.dialect.quote(name)), func(values [][]byte) {
		table.Rows = append(table.Rows, rowOf(values))
		odd = odd || slices.ContainsFunc(foreign, func(i int) bool { return !utf8.Valid(values[i]) })
	})
	if err != nil || !odd {
		return table, err
	}
	table.Rows = nil
	var bad error
	err = s.query(ctx, selectColumns(append(stored, converted...), b.dialect.quote(name)), func(values [][]byte) {
		row := rowOf(values[:len(columns)])
		bad = cmp.Or(bad, convert(row, foreign, values[len(columns):]))
		table.Rows = append(table.Rows, row)
	})
	return table, cmp.Or(err, bad)
}

func selectColumns(expressions []string, table string) string {
	return "SELECT " + strings.Join(expressions, ", ") + " FROM " + table
}

// rowOf copies the values of a row.
func rowOf(values [][]byte) []sql.NullString {
	row := make([]sql.NullString, len(values))
	for i, v := range values {
		row[i] = sql.NullString{String: string(v), Valid: v != nil}
	}
	return row
}

// convert replaces values of a row that are not UTF-8 by the converted ones, which are
// hexadecimal digits. UTF-8 stays, because xCAT often writes it into columns with another
// character set.
func convert(row []sql.NullString, foreign []int, converted [][]byte) error {
	for n, i := range foreign {
		if converted[n] == nil || utf8.ValidString(row[i].String) {
			continue
		}
		text, err := hex.DecodeString(string(converted[n]))
		if err != nil {
			return err
		}
		row[i].String = string(text)
	}
	return nil
}
