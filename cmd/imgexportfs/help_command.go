package main

import (
	"github.com/urfave/cli/v2"
)

const helpName = "help"

// helpCommand is ours, because the library's takes "help" for a word of every command,
// and an image may have that name.
func helpCommand() *cli.Command {
	return &cli.Command{
		Name:      helpName,
		Usage:     "print the help of the program or of a command",
		ArgsUsage: "[COMMAND]",
		Action: func(c *cli.Context) error {
			switch c.NArg() {
			case 0:
				return cli.ShowAppHelp(c)
			case 1:
				command := c.App.Command(c.Args().First())
				if command == nil {
					return noSuchCommand(c.App, c.Args().First())
				}
				printCommandHelp(c.App.Writer, command)
				return nil
			}
			return usageError("help takes one command, but there are %d arguments", c.NArg())
		},
	}
}

// noSuchCommand is the error for a name that no command has.
func noSuchCommand(app *cli.App, name string) error {
	var names []string
	for _, command := range app.VisibleCommands() {
		names = append(names, command.Name)
	}
	return usageError("there is no command %q%s; %s help lists the commands", name, didYouMean(name, names), programName)
}
