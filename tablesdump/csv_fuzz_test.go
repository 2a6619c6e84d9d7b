package tablesdump

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"
)

// FuzzReadCSV holds dumps to this: what is read is written so that the same is read again,
// each row has a field for each column, and an error names a line of the text.
func FuzzReadCSV(f *testing.F) {
	for _, text := range []string{
		"#a,b\n\"1\",\"2\"\n", "#a\n", "#a,b\n,\n", "#a\n\"x\"\"y\"\n", "#a\n\"line\nbreak\"\n", "#a,b\r\n\"1\",2\r\n", "#a\n#comment\n\n\"1\"\n",
		"#a\n\"1\"", "#a\n\"1", "#a\n\"1\"x\n", "#a,b\n\"1\"\n", "a\n", "", "#", "#\n\r\n", "#\"a\" , b\n1,2\n", "#a\n\"\n\"\n", "#a\n\"\"\n", "#a\n\"#\"\n", "#a\r\n\"\r\n\"\r\n", "#a,b\n1\r,\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dump, err := ReadCSV(text)
		if err != nil {
			var at *CSVError
			if !errors.As(err, &at) || at.Line < 1 || at.Line > 1+bytes.Count(text, []byte("\n")) {
				t.Errorf("%q: error %v has no line of the text", text, err)
			}
			return
		}
		for _, row := range dump.Rows {
			if len(row) != len(dump.Columns) {
				t.Fatalf("%q: a row of %d fields for %d columns", text, len(row), len(dump.Columns))
			}
		}
		expectWrittenAndRead(t, dump)
	})
}

// expectWrittenAndRead writes a dump and reads it again, here and by Go's own reader.
func expectWrittenAndRead(t *testing.T, dump Dump) {
	t.Helper()
	var out bytes.Buffer
	if err := WriteCSV(&out, dump); err != nil {
		t.Fatal(err)
	}
	want := asTabdumpKeeps(dump)
	if len(want.Columns) == 1 { // a row of one column that is not set is an empty line
		want.Rows = slices.DeleteFunc(want.Rows, func(row []Field) bool { return !row[0].Set })
	}
	got, err := ReadCSV(out.Bytes())
	sameRow := func(a, b []Field) bool { return slices.Equal(a, b) }
	if err != nil || !slices.EqualFunc(got.Rows, want.Rows, sameRow) || !slices.Equal(got.Columns, want.Columns) {
		t.Errorf("written %q, read %+v, %v; want %+v", out.Bytes(), got, err, want)
	}
	_, rows, _ := strings.Cut(out.String(), "\n")
	records, err := csv.NewReader(strings.NewReader(rows)).ReadAll()
	if err != nil || len(records) != len(want.Rows) {
		t.Fatalf("encoding/csv reads %q of %q, %v", records, rows, err)
	}
	for i, record := range records {
		for j, text := range record {
			if expected := strings.ReplaceAll(want.Rows[i][j].Text, "\r\n", "\n"); text != expected { // it does so
				t.Errorf("encoding/csv reads %q, want %q", text, expected)
			}
		}
	}
}

// asTabdumpKeeps is a dump without what tabdump takes for not set.
func asTabdumpKeeps(dump Dump) Dump {
	kept := Dump{Columns: dump.Columns}
	for _, row := range dump.Rows {
		fields := make([]Field, len(row))
		for i, field := range row {
			if field.Set && field.Text != "" && field.Text != "\n" {
				fields[i] = field
			}
		}
		kept.Rows = append(kept.Rows, fields)
	}
	return kept
}

// FuzzWriteCSV holds values to this: whatever a table holds comes back from its dump.
func FuzzWriteCSV(f *testing.F) {
	for _, pair := range [][2]string{{"a", "b"}, {"", "\n"}, {`"`, `""`}, {"#", ","}, {"\r\n", "\x00\xff"}, {"\r", "x\r"}, {" ", "a,b\n#c"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		set := func(text string) Field { return Field{Text: text, Set: true} }
		expectWrittenAndRead(t, Dump{Columns: []string{"a", "b"}, Rows: [][]Field{{set(one), set(two)}, {{}, set(two)}, {set(two), set(one)}}})
	})
}
