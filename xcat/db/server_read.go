package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
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
func known(have map[string][]string) layout {
	l := layout{}
	for _, t := range schema {
		if columns, found := have[t.name]; found {
			l[t.name] = slices.DeleteFunc(slices.Clone(t.columns), func(c string) bool { return !slices.Contains(columns, c) })
		}
	}
	return l
}

func checkLayout(have map[string][]string, l layout) error {
	for _, t := range schema {
		columns, found := l[t.name]
		switch {
		case !found && t.required:
			return fmt.Errorf("there is no table %s: name the database of xCAT in the cfgloc", t.name)
		case found && (len(columns) == 0 || columns[0] != t.columns[0]):
			return fmt.Errorf("table %s has no column %s, so it is not a table of xCAT (its columns: %s): name the database of xCAT in the cfgloc",
				t.name, t.columns[0], strings.Join(have[t.name], ", "))
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
		columns = slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return slices.Contains(t.unused, c) })
		parts = append(parts, fmt.Sprintf("SELECT '%s', COUNT(*), SUM(%s) FROM %s",
			t.name, b.dialect.rowHash(s, columns), b.dialect.quote(t.name)))
	}
	var version strings.Builder
	err := s.query(ctx, strings.Join(parts, " UNION ALL "), func(values [][]byte) {
		fmt.Fprintf(&version, "%s %s\n", values[0], strings.Join(l[string(values[0])], ","))
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
		table := Table{Columns: columns}
		quoted := make([]string, len(columns))
		for i, c := range columns {
			quoted[i] = b.dialect.quote(c)
		}
		statement := "SELECT " + strings.Join(quoted, ", ") + " FROM " + b.dialect.quote(t.name)
		err := s.query(ctx, statement, func(values [][]byte) { table.Rows = append(table.Rows, rowOf(values)) })
		if err != nil {
			return nil, fmt.Errorf("read table %s: %w", t.name, err)
		}
		tables[t.name] = table
	}
	return tables, nil
}

// rowOf copies the values of a row.
func rowOf(values [][]byte) []sql.NullString {
	row := make([]sql.NullString, len(values))
	for i, v := range values {
		row[i] = sql.NullString{String: string(v), Valid: v != nil}
	}
	return row
}
