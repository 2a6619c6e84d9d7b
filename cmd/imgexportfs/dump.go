package main

import (
	"context"
	"errors"
	"fmt"
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
		Action:    func(c *cli.Context) error { return runDump(c, flags) },
	}
}

func runDump(c *cli.Context, flags *siteFlags) error {
	if c.NArg() != 1 {
		return usageError("dump takes one directory, but there are %d arguments; see %s dump --help", c.NArg(), programName)
	}
	dir := c.Args().First()
	dumps, err := xcat.Dump(c.Context, xcat.Config{Cfgloc: flags.cfgloc, Root: flags.root, Getenv: getenv})
	if err != nil {
		return withCode(exitSite, err)
	}
	if err := writeDumps(c.Context, dir, dumps); err != nil {
		return withCode(exitWrite, err)
	}
	for _, dump := range dumps {
		if _, err := fmt.Fprintf(c.App.Writer, "%s: %s\n", filepath.Join(dir, dump.File), counted(dump.Rows(), "row")); err != nil {
			return withCode(exitWrite, err)
		}
	}
	return nil
}

// writeDumps writes all tables into dir, which is made if it is missing. No table
// gets its name before all of them are on the disk.
func writeDumps(ctx context.Context, dir string, dumps []xcat.NamedDump) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("cannot make %s: %w", dir, reason(err))
	}
	var files []*atomicFile
	defer func() {
		for _, f := range files {
			err = oneLine(err, f.discard())
		}
	}()
	for _, dump := range dumps {
		f, err := newAtomicFile(filepath.Join(dir, dump.File))
		if err != nil {
			return err
		}
		files = append(files, f)
		if err := oneLine(dump.WriteText(f), f.Sync(), ctx.Err()); err != nil {
			return fmt.Errorf("%s was not written: %w", f.path, err)
		}
	}
	for _, f := range files {
		if err := f.commit(); err != nil {
			return err
		}
	}
	return nil
}
