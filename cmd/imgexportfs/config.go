package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"
)

func configCommand() *cli.Command {
	f := mountFlags{site: newSiteFlags(), refresh: interval(2 * time.Second), log: newLogFlags()}
	flags := f.forCommand()
	return &cli.Command{
		Name:        "config",
		Usage:       "print the settings in force, each with where it is from",
		Description: "Takes the flags of mount, and prints YAML. Passwords are shown as " + hidden + ".",
		Flags:       append([]cli.Flag{f.site.configFlag()}, settable(flags)...),
		Before:      f.site.takeFile,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError("config takes no arguments, but there is %q", c.Args().First())
			}
			return nil
		},
	}
}
