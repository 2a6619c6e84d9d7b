package tablesdump

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Field is one value of a row in a table dump. The zero value is a column that is not
// set.
type Field struct {
	Text string
	Set  bool
}

// Dump is a table as tabdump writes it.
type Dump struct {
	Columns []string
	Rows    [][]Field // one field a column
}

// WriteCSV writes a dump as xCAT's tabdump does: a line "#column,column,...", then a line
// for each row, in the order given. Values stand in quotation marks; a quotation mark
// inside is doubled, and a newline stays as it is. Like tabdump it takes a value that is
// empty or a lone newline for one that is not set.
func WriteCSV(w io.Writer, dump Dump) error {
	var line bytes.Buffer
	line.WriteString("#" + strings.Join(dump.Columns, ",") + "\n")
	for _, row := range dump.Rows {
		for i, field := range row {
			if i > 0 {
				line.WriteByte(',')
			}
			if field.Set && field.Text != "" && field.Text != "\n" {
				line.WriteString(`"` + strings.ReplaceAll(field.Text, `"`, `""`) + `"`)
			}
		}
		line.WriteByte('\n')
		if _, err := line.WriteTo(w); err != nil {
			return err
		}
	}
	_, err := line.WriteTo(w) // the header of a table without rows
	return err
}

// CSVError reports text that tabdump does not write.
type CSVError struct {
	Line   int // counted from 1; of the start of the row
	Reason string
}

func (e *CSVError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// ReadCSV reads what WriteCSV and tabdump write, also after it was edited by hand: values
// need no quotation marks, lines that begin with # are comments, empty lines and carriage
// returns at the ends of lines are ignored, and columns stand in any order. Truncated text
// is an error: every row must have as many fields as there are columns, and the last line
// must end with a newline. The errors are *CSVError.
func ReadCSV(text []byte) (Dump, error) {
	r := csvReader{text: string(text), line: 1}
	header, found := r.header()
	if !found {
		return Dump{}, &CSVError{1, "the first line does not name the columns behind a #"}
	}
	dump := Dump{Columns: header}
	for r.skipComments(); r.text != ""; r.skipComments() {
		start := r.line
		row, err := r.row()
		if err != nil {
			return Dump{}, &CSVError{start, err.Error()}
		}
		if len(row) != len(header) {
			return Dump{}, &CSVError{start, fmt.Sprintf("%d fields for %d columns", len(row), len(header))}
		}
		dump.Rows = append(dump.Rows, row)
	}
	return dump, nil
}

// csvReader reads text from its start and removes what it has read.
type csvReader struct {
	text string
	line int
}

func (r *csvReader) take(n int) string {
	taken := r.text[:n]
	r.text = r.text[n:]
	r.line += strings.Count(taken, "\n")
	return taken
}

// header reads the names of the columns.
func (r *csvReader) header() ([]string, bool) {
	line, _, whole := strings.Cut(r.text, "\n")
	if !whole || !strings.HasPrefix(line, "#") {
		return nil, false
	}
	r.take(len(line) + 1)
	names := strings.Split(strings.TrimRight(line[1:], "\r \t"), ",")
	for i := range names {
		names[i] = strings.Trim(names[i], " \t\r\"")
	}
	return names, true
}

func (r *csvReader) skipComments() {
	for {
		line, _, whole := strings.Cut(r.text, "\n")
		if trimmed := strings.TrimRight(line, "\r"); trimmed != "" && trimmed[0] != '#' || !whole && line == "" {
			return
		}
		r.take(min(len(line)+1, len(r.text)))
	}
}

// row reads the fields up to the end of the row.
func (r *csvReader) row() ([]Field, error) {
	var row []Field
	for {
		field, err := r.field()
		if err != nil {
			return nil, err
		}
		row = append(row, field)
		switch {
		case strings.HasPrefix(r.text, ","):
			r.take(1)
		case strings.HasPrefix(r.text, "\n"):
			r.take(1)
			return row, nil
		case strings.HasPrefix(r.text, "\r\n"):
			r.take(2)
			return row, nil
		case r.text == "":
			return nil, fmt.Errorf("the text ends within the row")
		default:
			return nil, fmt.Errorf("field %d: a comma must follow its closing quotation mark", len(row))
		}
	}
}

// field reads one value, and stops before the comma or the newline that follows.
func (r *csvReader) field() (Field, error) {
	if !strings.HasPrefix(r.text, `"`) {
		end := strings.IndexAny(r.text, ",\n")
		if end < 0 {
			end = len(r.text)
		} else if end > 0 && r.text[end] == '\n' && r.text[end-1] == '\r' {
			end--
		}
		text := r.take(end)
		return Field{Text: text, Set: text != ""}, nil
	}
	r.take(1)
	var value strings.Builder
	for {
		end := strings.IndexByte(r.text, '"')
		if end < 0 {
			return Field{}, fmt.Errorf("a value has no closing quotation mark")
		}
		value.WriteString(r.take(end))
		r.take(1)
		if !strings.HasPrefix(r.text, `"`) {
			return Field{Text: value.String(), Set: true}, nil
		}
		value.WriteString(r.take(1))
	}
}
