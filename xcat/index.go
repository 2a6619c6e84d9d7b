package xcat

import (
	"cmp"
	"maps"
	"slices"

	"imgexportfs/xcat/db"
)

// rowIndex finds the visible rows of a table by the value of a column, as the database
// does: MySQL and MariaDB mostly ignore case and blanks at the end.
type rowIndex struct {
	column    string
	collation db.Collation
	rows      map[string][]Row // by the key of the value
}

// newRowIndex returns an index of the rows by column. Rows with equal values are in byte
// order of the column order. Rows without one of the two are left out.
func newRowIndex(table db.Table, column, order string) rowIndex {
	x := rowIndex{column: column, collation: table.Collations[column], rows: map[string][]Row{}}
	for _, row := range table.Visible() {
		if row[column] != "" && row[order] != "" {
			key := x.collation.Key(row[column])
			x.rows[key] = append(x.rows[key], row)
		}
	}
	for _, rows := range x.rows {
		slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a[order], b[order]) })
	}
	return x
}

// all returns the rows that have the value.
func (x rowIndex) all(value string) []Row {
	if value == "" {
		return nil
	}
	return x.rows[x.collation.Key(value)]
}

// one returns the row that has the value. If there are several, the one that is spelled
// the same wins.
func (x rowIndex) one(value string) (Row, bool) {
	rows := x.all(value)
	if len(rows) == 0 {
		return nil, false
	}
	for _, row := range slices.Backward(rows) {
		if row[x.column] == value {
			return row, true
		}
	}
	return rows[0], true
}

// values returns the values of the column as the rows spell them, in byte order.
func (x rowIndex) values() []string {
	values := map[string]bool{}
	for _, rows := range x.rows {
		for _, row := range rows {
			values[row[x.column]] = true
		}
	}
	return slices.Sorted(maps.Keys(values))
}
