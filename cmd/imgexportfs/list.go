package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
)

// listOptions are the flags of the list command.
type listOptions struct {
	site        *siteFlags
	json, bytes bool
}

func listCommand() *cli.Command {
	opts := listOptions{site: newSiteFlags()}
	return &cli.Command{
		Name:  "list",
		Usage: "a table of the images, with the sizes of their bundles",
		Flags: append(opts.site.forCommand(),
			&cli.BoolFlag{Name: "json", Usage: "print an array of objects", DisableDefaultText: true, Destination: &opts.json},
			&cli.BoolFlag{Name: "bytes", Usage: "print sizes as plain numbers of bytes", DisableDefaultText: true, Destination: &opts.bytes},
		),
		Action: func(c *cli.Context) error { return runList(c, opts) },
	}
}

func runList(c *cli.Context, opts listOptions) error {
	if c.Args().Present() {
		return usageError("list takes no arguments, but there is %q", c.Args().First())
	}
	reports, err := survey(c.Context, opts.site, nil, true, c.App.ErrWriter)
	if err != nil {
		return err
	}
	if opts.json {
		return withCode(exitWrite, printJSON(c.App.Writer, reports))
	}
	return withCode(exitWrite, printTable(c.App.Writer, reports, opts.bytes))
}

func printJSON(w io.Writer, reports []imageReport) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(reports)
}

// printTable prints aligned columns. Text from the database is always escaped,
// because a tab or newline in a name would look like a column or a row.
func printTable(w io.Writer, reports []imageReport, plainBytes bool) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "IMAGE\tPROVMETHOD\tOSVERS\tARCH\tPROFILE\tSIZE\tSTATE")
	for _, r := range reports {
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
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}
