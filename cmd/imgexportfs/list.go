package main

import (
	"encoding/json"
	"io"

	"github.com/urfave/cli/v2"

	"imgexportfs/xcat"
)

func listCommand() *cli.Command {
	flags := newSiteFlags()
	var asJSON, plainBytes bool
	return &cli.Command{
		Name:  "list",
		Usage: "a table of the images, with the sizes of their bundles",
		Flags: append(flags.forCommand(),
			&cli.BoolFlag{Name: "json", Usage: "print an array of objects", DisableDefaultText: true, Destination: &asJSON},
			&cli.BoolFlag{Name: "bytes", Usage: "print sizes as plain numbers of bytes", DisableDefaultText: true, Destination: &plainBytes},
		),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError("list takes no arguments, but there is %q", c.Args().First())
			}
			return surveyed(c.Context, flags, c.App.ErrWriter, func(s surveyor) error {
				s.sizes = true
				rows := []listRow{}
				offers := xcat.Offers(s.catalog.Images())
				if err := s.survey(c.Context, offers, func(f finding) { rows = append(rows, newListRow(f)) }); err != nil {
					return withCode(exitSite, err)
				}
				if asJSON {
					return withCode(exitWrite, printJSON(c.App.Writer, rows))
				}
				return withCode(exitWrite, printTable(c.App.Writer, rows, plainBytes))
			})
		},
	}
}

func printJSON(w io.Writer, rows []listRow) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}
