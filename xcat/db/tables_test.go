package db

import (
	"database/sql"
	"maps"
	"testing"
)

func TestRowsAreVisibleUnlessDisabled(t *testing.T) {
	for disable, visible := range map[string]bool{
		"0": true, "no": true, "NO": true, "No": true, "nO": true,
		"": false, "1": false, "yes": false, "false": false, "n": false, " no": false,
	} {
		table := Table{Columns: []string{"node", "disable"}, Rows: [][]sql.NullString{{text("a"), text(disable)}}}
		if got := len(table.Visible()) == 1; got != visible {
			t.Errorf("disable %q: visible %v", disable, got)
		}
	}
	table := Table{Columns: []string{"node", "disable"}, Rows: [][]sql.NullString{{text("a"), {}}}}
	if len(table.Visible()) != 1 {
		t.Error("a row with NULL in disable is hidden")
	}
	if rows := (Table{Columns: []string{"node"}, Rows: [][]sql.NullString{{text("a")}}}).Visible(); len(rows) != 1 {
		t.Error("a row of a table without the column disable is hidden")
	}
}

func TestRowsHoldTheColumnsThatAreExported(t *testing.T) {
	table := Table{
		Columns: []string{"null", "empty", "newline", "zero", "zeros", "blank", "newlines", "disable"},
		Rows:    [][]sql.NullString{{{}, text(""), text("\n"), text("0"), text("00"), text(" "), text("\n\n"), text("no")}},
	}
	want := Row{"zero": "0", "zeros": "00", "blank": " ", "newlines": "\n\n", "disable": "no"}
	if got := table.Visible()[0]; !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func text(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }
