package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"imgexportfs/fs"
)

func umountCommand() *cli.Command {
	var wait, quiet bool
	return &cli.Command{
		Name:      "umount",
		Usage:     "end mounts, also those whose server has died",
		ArgsUsage: "DIR...",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "wait", Usage: "wait until the files that are still open are closed", DisableDefaultText: true, Destination: &wait},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "say nothing of a directory on which nothing is mounted", DisableDefaultText: true, Destination: &quiet},
		},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usageError("no directory is named; see %s umount --help", programName)
			}
			var failed error
			for _, dir := range c.Args().Slice() {
				err := unmount(c.Context, dir, wait, c.App.ErrWriter)
				if quiet && errors.Is(err, fs.ErrNotMounted) {
					continue
				}
				failed = oneLine(failed, err)
			}
			return withCode(exitMount, failed)
		},
	}
}

// unmount ends one mount and says what is still open, if it could only be detached.
func unmount(ctx context.Context, dir string, wait bool, stderr io.Writer) error {
	detached, err := fs.Unmount(dir)
	if err != nil || detached == nil {
		return err
	}
	fmt.Fprintln(stderr, printable(stderr, fmt.Sprintf("%s: detached; %s", dir, stillOpen(detached.Files))))
	if !wait {
		return nil
	}
	if err := detached.Wait(ctx); err != nil {
		return fmt.Errorf("%s is detached: %w", dir, err)
	}
	return nil
}

// mostNamed is how many of the open files are named.
const mostNamed = 5

func stillOpen(files []fs.OpenFile) string {
	if len(files) == 0 {
		return "files are still open, by processes that this user may not look at"
	}
	var b strings.Builder
	if len(files) == 1 {
		b.WriteString("1 file is still open: ")
	} else {
		fmt.Fprintf(&b, "%d files are still open: ", len(files))
	}
	for i, f := range files {
		if i == mostNamed {
			fmt.Fprintf(&b, " and %d more", len(files)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%s, process %d)", f.Path, f.Program, f.Process)
	}
	return b.String()
}
