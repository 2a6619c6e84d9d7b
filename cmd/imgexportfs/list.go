package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// listOptions are the flags of the list command.
type listOptions struct {
	site                *siteFlags
	json, bytes, noSize bool
}

func listCommand() *cli.Command {
	opts := listOptions{site: newSiteFlags()}
	return &cli.Command{
		Name:  "list",
		Usage: "print a table of the images and the sizes of their bundles; exit code 0 in any state",
		Flags: append(opts.site.forCommand(),
			&cli.BoolFlag{Name: "json", Usage: "print an array of objects", DisableDefaultText: true, Destination: &opts.json},
			&cli.BoolFlag{Name: "bytes", Usage: "print sizes as plain numbers of bytes", DisableDefaultText: true, Destination: &opts.bytes},
			&cli.BoolFlag{Name: "no-size", Usage: "do not find the sizes, and do not look into the trees of statelite images: instant", DisableDefaultText: true, Destination: &opts.noSize},
		),
		Before: opts.site.takeFile,
		Action: func(c *cli.Context) error { return runList(c, opts) },
	}
}

func runList(c *cli.Context, opts listOptions) error {
	if c.Args().Present() {
		return usageError("list takes no arguments, but there is %q", c.Args().First())
	}
	how := sized
	if opts.noSize {
		how = brief
	}
	reports, err := survey(c.Context, opts.site, "list", nil, how, c.App.ErrWriter)
	if err != nil {
		return err
	}
	if opts.json {
		return withCode(exitWrite, printJSON(c.App.Writer, reports))
	}
	return withCode(exitWrite, printTable(c.App.Writer, reports, opts.bytes))
}

// jsonReport is an object of list --json. JSON holds no bytes that are not UTF-8: in
// text they are written as \xNN, and the exact bytes of a name are beside it in base64.
type jsonReport struct {
	imageReport
	ImageRaw []byte `json:"image_raw,omitempty"`
	NameRaw  []byte `json:"name_raw,omitempty"`
}

func newJSONReport(r imageReport) jsonReport {
	j := jsonReport{imageReport: r, ImageRaw: rawText(r.Image), NameRaw: rawText(r.Name)}
	for _, text := range []*string{&j.Image, &j.Name, &j.Provmethod, &j.Osvers, &j.Arch, &j.Profile, &j.State} {
		*text = jsonText(*text)
	}
	j.Problems = []string{}
	for _, p := range r.Problems {
		j.Problems = append(j.Problems, jsonText(p))
	}
	return j
}

// rawText is nil where JSON can hold text as it is.
func rawText(text string) []byte {
	if utf8.ValidString(text) {
		return nil
	}
	return []byte(text)
}

// jsonText is text with each byte that is not UTF-8 written as \xNN.
func jsonText(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[0])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

func printJSON(w io.Writer, reports []imageReport) error {
	objects := make([]jsonReport, 0, len(reports))
	for _, r := range reports {
		objects = append(objects, newJSONReport(r))
	}
	return newJSONEncoder(w).Encode(objects)
}

// columnMax is the width of the widest column. A longer text moves the rest of its own
// row to the right, and no other row.
const columnMax = 40

// printTable prints aligned columns. Text from the database is always escaped,
// because a tab or newline in a name would look like a column or a row.
func printTable(w io.Writer, reports []imageReport, plainBytes bool) error {
	rows := [][]string{{"IMAGE", "PROVMETHOD", "OSVERS", "ARCH", "PROFILE", "SIZE", "STATE"}}
	for _, r := range reports {
		rows = append(rows, tableRow(r, plainBytes))
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			if n := utf8.RuneCountInString(cell); n <= columnMax {
				widths[i] = max(widths[i], n)
			}
		}
	}
	var table strings.Builder
	for _, row := range rows {
		last := len(row) - 1
		for i, cell := range row[:last] {
			fmt.Fprintf(&table, "%-*s  ", widths[i], cell)
		}
		table.WriteString(row[last] + "\n")
	}
	_, err := io.WriteString(w, table.String())
	return err
}

// tableRow is the row of an image.
func tableRow(r imageReport, plainBytes bool) []string {
	size := ""
	if r.Size != nil && plainBytes {
		size = strconv.FormatInt(*r.Size, 10)
	} else if r.Size != nil {
		size = byteSize(*r.Size).String()
	}
	cells := []string{r.Image, r.Provmethod, r.Osvers, r.Arch, r.Profile, size, r.State}
	for i, cell := range cells {
		if cells[i] = escaped(cell); cell == "" {
			cells[i] = "-"
		}
	}
	return cells
}
