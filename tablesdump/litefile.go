package tablesdump

import "bytes"

// LiteRow is one row of the litefile table.
type LiteRow struct {
	File    string
	Options string // "" is tmpfs, as everywhere in xCAT
}

// LiteFileCSV writes the rows, in the order given, as litefile.csv of the
// image whose name in the bundle is name. Nothing is escaped, because
// imgimport splits a line at each quotation mark (docs/rules.md, section 7).
func LiteFileCSV(name string, rows []LiteRow) []byte {
	var b bytes.Buffer
	for _, row := range rows {
		options := row.Options
		if options == "" {
			options = "tmpfs"
		}
		b.WriteString(`"` + name + `","` + row.File + `","` + options + `",,` + "\n")
	}
	return b.Bytes()
}
