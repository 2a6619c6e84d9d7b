package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// listRow is what list prints of an image, and the objects of --json.
type listRow struct {
	Image      string   `json:"image"`
	Name       string   `json:"name"` // of the bundle, without .tgz
	Provmethod string   `json:"provmethod"`
	Osvers     string   `json:"osvers"`
	Arch       string   `json:"arch"`
	Profile    string   `json:"profile"`
	Size       *int64   `json:"size"` // bytes; null where there is no bundle
	State      string   `json:"state"`
	Problems   []string `json:"problems"`
}

func newListRow(f finding) listRow {
	row := listRow{
		Image:      f.offer.Image,
		Name:       f.offer.Name,
		Provmethod: f.row["provmethod"],
		Osvers:     f.row["osvers"],
		Arch:       f.row["osarch"],
		Profile:    f.row["profile"],
		State:      stateOf(f),
		Problems:   []string{},
	}
	for _, p := range f.problems {
		row.Problems = append(row.Problems, p.String())
	}
	if f.refusal == "" {
		row.Size = &f.size
	}
	return row
}

// stateOf is "ok", "N problems" for a bundle that lacks something, or
// "refused: " and the first reason.
func stateOf(f finding) string {
	switch {
	case f.refusal != "":
		return "refused: " + f.refusal
	case len(f.problems) > 0:
		return counted(len(f.problems), "problem")
	}
	return "ok"
}

// counted is a number of things in English: "1 problem", "2 problems".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// printTable prints aligned columns. What comes from the database is escaped
// wherever the table goes, for a tab or newline in a name would be taken for
// a column or a row.
func printTable(w io.Writer, rows []listRow, plainBytes bool) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "IMAGE\tPROVMETHOD\tOSVERS\tARCH\tPROFILE\tSIZE\tSTATE")
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join([]string{
			cell(row.Image), cell(row.Provmethod), cell(row.Osvers), cell(row.Arch), cell(row.Profile),
			sizeCell(row.Size, plainBytes), cell(row.State),
		}, "\t"))
	}
	return table.Flush()
}

func cell(text string) string {
	if text == "" {
		return "-"
	}
	return escaped(text)
}

func sizeCell(size *int64, plainBytes bool) string {
	switch {
	case size == nil:
		return "-"
	case plainBytes:
		return strconv.FormatInt(*size, 10)
	}
	return byteSize(*size).String()
}
