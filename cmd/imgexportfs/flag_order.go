package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst returns a command line with the flags of its command before the operands,
// because the library ends the flags at the first operand. People write them at either
// place. What follows "--" are operands, and commands that read their flags themselves
// get what was typed. Behind a flag for help the library takes operands for topics, so
// they are left out.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	command := app.Command(args[1])
	if command == nil || command.SkipFlagParsing {
		return args
	}
	var flags, operands []string
	helps := false
	for rest := args[2:]; len(rest) > 0; rest = rest[1:] {
		arg := rest[0]
		if arg == "--" {
			operands = append(operands, rest[1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			operands = append(operands, arg)
			continue
		}
		flags = append(flags, arg)
		helps = helps || slices.Contains(cli.HelpFlag.Names(), strings.TrimLeft(arg, "-"))
		if takesNext(command, arg) {
			if len(rest) == 1 { // the library says that the value is missing
				return append(args[:2:2], flags...)
			}
			rest = rest[1:]
			flags = append(flags, rest[0])
		}
	}
	if helps {
		return append(args[:2:2], flags...)
	}
	return append(append(append(args[:2:2], flags...), "--"), operands...)
}

// takesNext reports whether the value of a flag is the next argument. In a bundle of
// letters, such as -vo, it is the last letter's.
func takesNext(command *cli.Command, arg string) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	if strings.Contains(name, "=") {
		return false
	}
	flag := flagNamed(command, name)
	if flag == nil && !strings.HasPrefix(arg, "--") {
		flag = flagNamed(command, name[len(name)-1:])
	}
	return flag != nil && takesValue(flag)
}

// flagNamed returns the flag of a command that has a name, or nil.
func flagNamed(command *cli.Command, name string) cli.Flag {
	for _, flag := range command.Flags {
		for _, known := range flag.Names() {
			if known == name {
				return flag
			}
		}
	}
	return nil
}

func takesValue(flag cli.Flag) bool {
	documented, ok := flag.(cli.DocGenerationFlag)
	return ok && documented.TakesValue()
}
