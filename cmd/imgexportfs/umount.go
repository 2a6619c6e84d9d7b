package main

import (
	"github.com/urfave/cli/v2"

	"imgexportfs/fs"
)

func umountCommand() *cli.Command {
	return &cli.Command{
		Name:      "umount",
		Usage:     "end mounts, also those whose server has died",
		ArgsUsage: "DIR...",
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usageError("no directory is named; see %s umount --help", programName)
			}
			var failed error
			for _, dir := range c.Args().Slice() {
				if err := fs.Unmount(dir); err != nil {
					failed = oneLine(failed, err)
				}
			}
			return withCode(exitMount, failed)
		},
	}
}
