package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// helpWidth is the longest line of a help in characters.
const helpWidth = 100

// printHelp takes the place of the library's own printer, which breaks no lines and
// repeats the names of values.
func printHelp(w io.Writer, _ string, of any) {
	switch of := of.(type) {
	case *cli.App:
		printAppHelp(w, of)
	case *cli.Command:
		printCommandHelp(w, of)
	}
}

func printAppHelp(w io.Writer, app *cli.App) {
	fmt.Fprintf(w, "%s: %s\n\nUsage:\n  %s\n\nCommands:\n", app.Name, app.Usage, app.UsageText)
	var rows [][2]string
	for _, command := range app.VisibleCommands() {
		rows = append(rows, [2]string{command.Name, command.Usage})
	}
	printRows(w, rows)
	fmt.Fprint(w, "\nFlags:\n")
	printFlags(w, app.Flags)
	printExamples(w, "")
	fmt.Fprintf(w, "\n%s\n\n%s help COMMAND says more of a command.\n", app.Description, app.Name)
}

func printCommandHelp(w io.Writer, command *cli.Command) {
	if command.Name == exportName {
		fmt.Fprint(w, exportUsage(programName+" "+exportName))
		return
	}
	printWrapped(w, "", fmt.Sprintf("%s %s: %s", programName, command.Name, command.Usage))
	fmt.Fprintf(w, "\nUsage:\n  %s\n", synopsis(command))
	if command.Description != "" {
		fmt.Fprintln(w)
		printWrapped(w, "", command.Description)
	}
	fmt.Fprint(w, "\nFlags:\n")
	printFlags(w, command.Flags)
	printExamples(w, command.Name)
}

// synopsis is the form of a command's line.
func synopsis(command *cli.Command) string {
	line := programName + " " + command.Name
	if len(visible(command.Flags)) > 0 {
		line += " [flags]"
	}
	return strings.TrimSpace(line + " " + command.ArgsUsage)
}

func printFlags(w io.Writer, flags []cli.Flag) {
	var rows [][2]string
	for _, flag := range visible(flags) {
		rows = append(rows, [2]string{flag.head(), flag.body()})
	}
	printRows(w, rows)
}

// printRows prints names and what they mean in two columns.
func printRows(w io.Writer, rows [][2]string) {
	column := 0
	for _, row := range rows {
		column = max(column, utf8.RuneCountInString(row[0]))
	}
	indent := strings.Repeat(" ", column+4)
	for _, row := range rows {
		var text strings.Builder
		printWrapped(&text, indent, row[1])
		fmt.Fprintf(w, "  %-*s  %s", column, row[0], strings.TrimPrefix(text.String(), indent))
	}
}

func printExamples(w io.Writer, command string) {
	fmt.Fprint(w, "\nExample:\n")
	for _, example := range examples[command] {
		fmt.Fprintf(w, "  %s\n", example)
	}
}

// printWrapped prints a paragraph in lines that are not too long.
func printWrapped(w io.Writer, indent, text string) {
	line := indent
	for _, word := range strings.Fields(text) {
		switch {
		case line == indent:
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > helpWidth:
			fmt.Fprintln(w, line)
			line = indent
		default:
			line += " "
		}
		line += word
	}
	fmt.Fprintln(w, line)
}

func init() { cli.HelpPrinter = printHelp }
