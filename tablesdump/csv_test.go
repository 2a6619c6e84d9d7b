package tablesdump

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What tabdump wrote is read and written again as it was.
func TestCSVRoundTripOfRealDumps(t *testing.T) {
	files, err := filepath.Glob("../integration/testdata/conformance/tabdump/*.csv")
	if err != nil || len(files) != 9 {
		t.Fatalf("found %q, %v; want 9 dumps", files, err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dump, err := ReadCSV(want)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var got bytes.Buffer
		if err := WriteCSV(&got, dump); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s changes when it is read and written", file)
		}
	}
}

func set(text string) Field { return Field{Text: text, Set: true} }

func TestReadCSVTellsUnsetFromEmpty(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want [][]Field
	}{
		"quotation marks are doubled":            {"#a,b\n\"x \"\"y\"\"\",\"\"\"\"\n", [][]Field{{set(`x "y"`), set(`"`)}}},
		"a newline is part of a value":           {"#a,b\n\"one\ntwo\",\"3\n\"\n", [][]Field{{set("one\ntwo"), set("3\n")}}},
		"nothing is unset, two marks are empty":  {"#a,b\n,\"\"\n", [][]Field{{{}, set("")}}},
		"a value needs no marks":                 {"#a,b\nx y,2\n", [][]Field{{set("x y"), set("2")}}},
		"comments and empty lines":               {"#a\n# a comment\n\n\"#no comment\"\n#\"x\"\n", [][]Field{{set("#no comment")}}},
		"carriage returns at ends of lines":      {"#a,b\r\n\"x\r\n\",2\r\n3,\r\n", [][]Field{{set("x\r\n"), set("2")}, {set("3"), {}}}},
		"commas in values":                       {"#a,b\n\"1,2\",\",\"\n", [][]Field{{set("1,2"), set(",")}}},
		"bytes that are not UTF-8":               {"#a\n\"\xe9\x00\"\n", [][]Field{{set("\xe9\x00")}}},
		"no rows":                                {"#a,b\n", nil},
		"a row of unset columns after a comment": {"#a,b\n#\n,\n", [][]Field{{{}, {}}}},
	} {
		t.Run(name, func(t *testing.T) {
			dump, err := ReadCSV([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(dump.Rows, c.want) {
				t.Errorf("got %+v, want %+v", dump.Rows, c.want)
			}
		})
	}
}

func TestReadCSVRefusesWhatIsCutShort(t *testing.T) {
	for text, want := range map[string]CSVError{
		"":                             {1, "does not name"},
		"#a,b":                         {1, "does not name"},
		"a,b\n":                        {1, "#"},
		"#a,b\n\"x\",\"y\"\n\"1\",\"2": {3, "closing quotation mark"},
		"#a,b\n\"x\",\"y\"\n\"1\",":    {3, "ends within"},
		"#a,b\n\"1\",\"2\"":            {2, "ends within"},
		"#a,b\n\"x\n\n\",1\n\"1\"\n":   {5, "1 fields for 2 columns"},
		"#a,b\n1,2,3\n":                {2, "3 fields for 2 columns"},
		"#a,b\n\"1\"2,3\n":             {2, "comma"},
	} {
		_, err := ReadCSV([]byte(text))
		var e *CSVError
		if !errors.As(err, &e) || e.Line != want.Line || !strings.Contains(e.Reason, want.Reason) {
			t.Errorf("%q: %v, want line %d and %q", text, err, want.Line, want.Reason)
		}
	}
}

func TestWriteCSVWritesUnsetAsNothing(t *testing.T) {
	var got strings.Builder
	err := WriteCSV(&got, Dump{
		Columns: []string{"a", "b"},
		Rows:    [][]Field{{{}, set("")}, {set("\n"), set("\n\n")}, {set("0"), set(" ")}},
	})
	if want := "#a,b\n,\n,\"\n\n\"\n\"0\",\" \"\n"; err != nil || got.String() != want {
		t.Errorf("got %q, %v; want %q", got.String(), err, want)
	}
}

func TestWriteCSVReportsAFullDisk(t *testing.T) {
	full := errors.New("full")
	if err := WriteCSV(failing{full}, Dump{Columns: []string{"a"}, Rows: [][]Field{{set("1")}}}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Every dump comes back from what is written of it, and every prefix that ends
// within a row is refused.
func TestCSVRoundTrip(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	const alphabet = "ab,\"\n\r# é\xe9"
	for range 300 {
		dump := Dump{Columns: []string{"a", "b", "c"}}
		for range 1 + rng.IntN(5) {
			row := make([]Field, 3)
			for i := range row {
				if rng.IntN(4) > 0 {
					text := "x"
					for range rng.IntN(6) {
						text += string(alphabet[rng.IntN(len(alphabet))])
					}
					row[i] = set(text)
				}
			}
			dump.Rows = append(dump.Rows, row)
		}
		var text bytes.Buffer
		if err := WriteCSV(&text, dump); err != nil {
			t.Fatal(err)
		}
		back, err := ReadCSV(text.Bytes())
		if err != nil || !reflect.DeepEqual(back, dump) {
			t.Fatalf("wrote %q, read %+v, %v", text.String(), back, err)
		}
		cut := text.Bytes()[:text.Len()-1-rng.IntN(text.Len()-len("#a,b,c\n")-1)]
		if part, err := ReadCSV(cut); err == nil && !reflect.DeepEqual(part.Rows, dump.Rows[:len(part.Rows)]) {
			t.Fatalf("read %+v of a cut file %q", part, cut)
		}
	}
}
