package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"imgexportfs/xcat"
)

func dumpCommand() *cli.Command {
	flags := newSiteFlags()
	return &cli.Command{
		Name:      "dump",
		Usage:     "write the tables that exports use into a directory, as xCAT's tabdump does",
		ArgsUsage: "DIR",
		Description: "DIR is a directory of this host, also with --root: nothing is written to the site. " +
			"--cfgloc CSV:DIR reads the dumps; with --root it looks for DIR below the root.",
		Flags:  flags.ofDatabase(),
		Before: flags.takeFile,
		Action: func(c *cli.Context) error { return runDump(c, flags) },
	}
}

func runDump(c *cli.Context, flags *siteFlags) error {
	if c.NArg() != 1 {
		return usageError("dump takes one directory, but there are %d arguments; see %s dump --help", c.NArg(), programName)
	}
	dir := c.Args().First()
	dumps, err := xcat.Dump(c.Context, xcat.Config{Cfgloc: flags.location(), Root: flags.root, Getenv: getenv})
	if err != nil {
		return withCode(exitSite, err)
	}
	if err := writeDumps(c.Context, dir, dumps); err != nil {
		return withCode(exitWrite, err)
	}
	for _, dump := range dumps {
		if _, err := fmt.Fprintln(c.App.Writer, printable(c.App.Writer, filepath.Join(dir, dump.File)+": "+counted(dump.Rows(), "row"))); err != nil {
			return withCode(exitWrite, err)
		}
	}
	if root := flags.root; root != "" && root != "/" {
		fmt.Fprintln(c.App.ErrWriter, printable(c.App.ErrWriter, readAgain(root, dir)))
	}
	return nil
}

// readAgain says by which flags the dumps in dir are read together with the root: a
// location counts from the root, while dir is a path of this host.
func readAgain(root, dir string) string {
	dir, dirErr := resolved(dir)
	base, rootErr := resolved(root)
	inside, within := strings.CutPrefix(dir, strings.TrimSuffix(base, "/")+"/")
	if dirErr != nil || rootErr != nil || !within {
		return fmt.Sprintf("%s is not below --root %s; to read the dumps with that root, dump to a directory below it", dir, root)
	}
	return fmt.Sprintf("read them with --root %s --cfgloc CSV:/%s", root, inside)
}

// resolved is the absolute path without symbolic links, as far as that is known.
func resolved(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path, err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return abs, err
	}
	return real, nil
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
