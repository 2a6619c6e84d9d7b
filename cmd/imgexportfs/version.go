package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"imgexportfs/bundle"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version string

const versionName = "version"

// versionFlag is a flag of the program and of each command.
func versionFlag(hidden bool) cli.Flag {
	return &cli.BoolFlag{Name: versionName, Usage: "print the version", DisableDefaultText: true, Hidden: hidden}
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  versionName,
		Usage: "print the versions of the program, of Go, and of the format of bundles",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError("version takes no arguments, but there is %q", c.Args().First())
			}
			return printVersion(c.App.Writer)
		},
	}
}

func printVersion(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s %s\n%s %s/%s\nbundle format %d\n",
		programName, programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, bundle.FormatVersion)
	return withCode(exitWrite, err)
}

// programVersion is the linker's, else what the go command knows: the
// module's version, or the commit it was built from.
func programVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "development " + setting.Value
		}
	}
	return "development"
}
