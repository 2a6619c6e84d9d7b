package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"
)

const (
	programName = "imgexportfs"
	// imgexportName is the name of a link to the program through which it is
	// the export command.
	imgexportName = "imgexport"
)

func main() {
	takeLocation()
	args, err := takeHandover(takeArgs(os.Args))
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(exitUsage)
	}
	ctx, done := untilInterrupted(context.Background())
	code := run(ctx, args, os.Stdout, os.Stderr)
	done()
	os.Exit(code)
}

// run executes a whole command line, prints the error that ended it, and
// returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && filepath.Base(args[0]) == imgexportName {
		args = asExport(args)
	}
	if len(args) > 0 && isMountHelper(args[0]) {
		return runMountHelper(ctx, args, stdout, stderr)
	}
	app := newApp(stdout, stderr)
	app.Metadata = map[string]any{startedWith: args}
	err := app.RunContext(ctx, flagsFirst(app, args))
	code, text := exitStatus(ctx, err)
	if text != "" {
		fmt.Fprintln(stderr, "Error: "+printable(stderr, withoutPasswords(text, args)))
	}
	return code
}

// startedWith is the name under which the app knows its command line.
const startedWith = "arguments"

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:            programName,
		Usage:           "xCAT images as directories and bundles for cp, rsync and tar",
		UsageText:       programName + " COMMAND [flags] [arguments]",
		Description:     "Exit codes:\n" + exitCodes,
		HideVersion:     true,
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		Flags:           []cli.Flag{cli.HelpFlag, versionFlag(false)},
		Commands: []*cli.Command{
			mountCommand(), umountCommand(), statusCommand(), exportCommand(), verifyCommand(),
			listCommand(), checkCommand(), dumpCommand(), configCommand(), versionCommand(), helpCommand(),
			completeCommand(), completionCommand(), manCommand(),
		},
		Action:         withoutCommand,
		OnUsageError:   asUsageError,
		ExitErrHandler: func(*cli.Context, error) {}, // run decides
	}
	for _, command := range app.Commands {
		command.OnUsageError = asUsageError
		command.HideHelpCommand = true // "help" may be the name of an image
		command.UseShortOptionHandling = true
		if action := command.Action; !command.SkipFlagParsing {
			command.Flags = append(command.Flags, cli.HelpFlag, versionFlag(true))
			command.Action = func(c *cli.Context) error {
				if c.Bool(versionName) {
					return printVersion(c.App.Writer)
				}
				if err := refusePasswords(c.Args().Slice()); err != nil {
					return err
				}
				return action(c)
			}
		}
	}
	return app
}

// withoutCommand is what the program does when no command is named.
func withoutCommand(c *cli.Context) error {
	switch {
	case c.Bool(versionName):
		return printVersion(c.App.Writer)
	case c.Args().Present():
		return noSuchCommand(c.App, c.Args().First())
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
	return usageError("%w%s; see %s --help", err, likeFlags(c, err), name)
}
