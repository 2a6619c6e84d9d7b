package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"imgexportfs/xcat"
)

func dumpCommand() *cli.Command {
	flags := newSiteFlags()
	return &cli.Command{
		Name:      "dump",
		Usage:     "write the tables that exports use into a directory, as xCAT's tabdump does",
		ArgsUsage: "DIR",
		Flags:     flags.forCommand(),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usageError("dump takes its flags and then one directory, but there are %d arguments; see %s dump --help", c.NArg(), programName)
			}
			site, err := flags.open(c.Context, 0, nil)
			if err != nil {
				return err
			}
			defer func() { _ = site.Close() }()
			dumps, err := site.Dump(c.Context)
			if err != nil {
				return withCode(exitSite, err)
			}
			if err := writeDumps(c.Context, osDisk{}, c.Args().First(), dumps); err != nil {
				return withCode(exitWrite, err)
			}
			return withCode(exitWrite, reportDumps(c.App.Writer, c.Args().First(), dumps))
		},
	}
}

// writeDumps writes all tables, or leaves those that are there as they were:
// each gets its name when all are on the disk. The directory is made if it is
// missing. Only the owner may read what is written: tables hold passwords.
func writeDumps(ctx context.Context, disk disk, dir string, dumps []xcat.NamedDump) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("cannot make %s: %w", dir, reason(err))
	}
	var temps []string // of the dumps in order, those that are not renamed yet
	defer func() {
		for _, temp := range temps {
			err = oneLine(err, disk.remove(temp))
		}
	}()
	for _, dump := range dumps {
		temp, err := disk.createTemp(dir)
		if err != nil {
			return fmt.Errorf("cannot write in %s: %w", dir, reason(err))
		}
		temps = append(temps, temp.Name())
		if err := oneLine(dump.WriteText(temp), temp.Sync(), temp.Close(), ctx.Err()); err != nil {
			return fmt.Errorf("%s was not written: %w", filepath.Join(dir, dump.File), err)
		}
	}
	for _, dump := range dumps {
		file := filepath.Join(dir, dump.File)
		if err := disk.rename(temps[0], file); err != nil {
			return fmt.Errorf("%s was not written: %w", file, reason(err))
		}
		temps = temps[1:]
	}
	return disk.syncDir(dir)
}

func reportDumps(w io.Writer, dir string, dumps []xcat.NamedDump) error {
	for _, dump := range dumps {
		if _, err := fmt.Fprintf(w, "%s: %s\n", filepath.Join(dir, dump.File), counted(dump.Rows(), "row")); err != nil {
			return err
		}
	}
	return nil
}
