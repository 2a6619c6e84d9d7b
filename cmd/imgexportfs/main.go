package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"
)

const programName = "imgexportfs"

func main() {
	ctx, stop := untilInterrupted(context.Background())
	code := run(ctx, takeArgs(os.Args), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes a whole command line, prints the error that ended it, and
// returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := newApp(stdout, stderr).RunContext(ctx, withCommand(args))
	code := exitCode(ctx, err)
	if said := explain(ctx, err); said != "" {
		fmt.Fprintln(stderr, "Error: "+printable(stderr, said))
	}
	return code
}

// withCommand puts the export command into a command line that was given to
// a link named imgexport.
func withCommand(args []string) []string {
	if len(args) > 0 && filepath.Base(args[0]) == imgexportName {
		return append([]string{args[0], "export"}, args[1:]...)
	}
	return args
}

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:            programName,
		Usage:           "xCAT images as directories and bundles that cp, rsync and tar can take",
		UsageText:       programName + " COMMAND [flags] [arguments]",
		Description:     "Exit codes:\n" + exitCodesText(),
		HideVersion:     true,
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		Flags:           []cli.Flag{&cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true}},
		Commands: []*cli.Command{
			mountCommand(), umountCommand(), exportCommand(), listCommand(), checkCommand(), dumpCommand(), versionCommand(),
		},
		Action:         withoutCommand,
		OnUsageError:   asUsageError,
		ExitErrHandler: func(*cli.Context, error) {}, // run decides
	}
	for _, command := range app.Commands {
		command.OnUsageError = asUsageError
		command.HideHelpCommand = true // "help" may be the name of an image
		command.UseShortOptionHandling = true
	}
	return app
}

// withoutCommand is what the program does when no command is named.
func withoutCommand(c *cli.Context) error {
	switch {
	case c.Bool("version"):
		return printVersion(c.App.Writer)
	case c.Args().Present():
		return usageError("there is no command %q; %s --help lists them", c.Args().First(), programName)
	}
	_ = cli.ShowAppHelp(c)
	return &exitError{code: exitUsage}
}

// asUsageError takes the place of the library's own printing.
func asUsageError(c *cli.Context, err error, _ bool) error {
	name := programName
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != programName {
		name += " " + c.Command.Name
	}
	return usageError("%w; see %s --help", err, name)
}
