package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/urfave/cli/v2"
)

// completeName is the hidden command that the scripts of the shells call: the words of a
// command line up to the cursor follow it, and the last one is to be completed.
const completeName = "__complete"

// completionLimit is how long a shell waits for names at most.
const completionLimit = 2 * time.Second

// The scripts do nothing but ask the program, so that they need not know its flags.
var (
	//go:embed completion/imgexportfs.bash
	bashScript string
	//go:embed completion/imgexportfs.zsh
	zshScript string
	//go:embed completion/imgexportfs.fish
	fishScript string
)

func completionCommand() *cli.Command {
	scripts := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}
	return &cli.Command{
		Name: "completion", Usage: "print the script that completes command lines in a shell", ArgsUsage: "bash|zsh|fish", Hidden: true,
		Action: func(c *cli.Context) error {
			script, known := scripts[c.Args().First()]
			if !known || c.NArg() != 1 {
				return usageError("completion takes one shell: bash, zsh or fish")
			}
			_, err := io.WriteString(c.App.Writer, script)
			return withCode(exitWrite, err)
		},
	}
}

func completeCommand() *cli.Command {
	return &cli.Command{
		Name: completeName, Hidden: true, HideHelp: true, SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			ctx, cancel := context.WithTimeout(c.Context, completionLimit)
			defer cancel()
			found := make(chan *completion, 1)
			go func() { found <- complete(ctx, c.App, c.Args().Slice()) }()
			select {
			case completion := <-found:
				return withCode(exitWrite, completion.print(c.App.Writer))
			case <-ctx.Done(): // a file server may not answer
				return nil
			}
		},
	}
}

// asExport is the command line of the link imgexport as one of the program.
func asExport(args []string) []string {
	name := []string{args[0], exportName}
	if len(args) > 1 && args[1] == completeName {
		return append([]string{args[0], completeName, exportName}, args[2:]...)
	}
	return append(name, args[1:]...)
}

// The paths that a shell is to offer beside the words of a completion.
const (
	noPaths   = "none"
	files     = "files"
	dirs      = "directories"
	valueMark = "=" // between a long flag and its value
)

// completion is what a word may become.
type completion struct {
	typed string
	head  string // of the typed word, which stays: "--root=", or "node1," of a list
	paths string
	lines []string
}

// add offers a word, if it begins with what was typed. Shells read one word a line, so
// names with control characters are left out.
func (c *completion) add(word, description string) {
	word = c.head + word
	if !strings.HasPrefix(word, c.typed) || strings.ContainsFunc(word, unicode.IsControl) {
		return
	}
	if description != "" {
		word += "\t" + description
	}
	c.lines = append(c.lines, word)
}

func (c *completion) addAll(words []string) {
	for _, word := range words {
		c.add(word, "")
	}
}

// print prints which paths to offer, and a line for each word, with its description
// after a tab.
func (c *completion) print(w io.Writer) error {
	_, err := fmt.Fprintln(w, strings.Join(append([]string{c.paths}, c.lines...), "\n"))
	return err
}

// complete completes the last of the words.
func complete(ctx context.Context, app *cli.App, words []string) *completion {
	c := &completion{paths: noPaths}
	if len(words) == 0 {
		return c
	}
	before := words[:len(words)-1]
	c.typed = words[len(words)-1]
	if len(before) == 0 {
		c.addCommands(app)
		for _, flag := range visible(app.Flags) {
			c.add(flag.names[0], flag.text)
		}
		return c
	}
	command := app.Command(before[0])
	if command == nil || command.Hidden {
		return c
	}
	site := newSiteFlags()
	operands, waiting := site.scan(command, before[1:])
	name, _, hasValue := strings.Cut(c.typed, valueMark)
	switch {
	case waiting != nil:
		c.addValues(ctx, app, site, *waiting)
	case strings.HasPrefix(c.typed, "--") && hasValue:
		c.head = name + valueMark
		if flag := flagNamed(command, name[2:]); flag != nil {
			c.addValues(ctx, app, site, helpOf(flag))
		}
	case strings.HasPrefix(c.typed, "-") && c.typed != "-":
		c.addFlags(command)
	default:
		c.addOperands(ctx, app, site, command.Name, operands)
	}
	return c
}

// scan reads the flags of a command line that name the site. It returns how many operands
// there are, and the flag that waits for its value, if one does.
func (f *siteFlags) scan(command *cli.Command, words []string) (operands int, waiting *flagHelp) {
	for _, word := range words {
		switch {
		case waiting != nil:
			f.takeValue(waiting.names[0], word)
			waiting = nil
		case strings.HasPrefix(word, "--") && strings.Contains(word, valueMark):
			name, value, _ := strings.Cut(word, valueMark)
			f.takeValue(name, value)
		case len(word) > 1 && word[0] == '-':
			if flag := flagNamed(command, strings.TrimLeft(word, "-")); flag != nil && takesValue(flag) {
				help := helpOf(flag)
				waiting = &help
			}
		default:
			operands++
		}
	}
	return operands, waiting
}

func (f *siteFlags) takeValue(flag, value string) {
	switch flag {
	case "--cfgloc":
		f.cfgloc = value
	case "--root":
		f.root = value
	case "--config":
		_ = f.config.Set(value) // any text is a path
	}
}

func (c *completion) addCommands(app *cli.App) {
	for _, command := range app.VisibleCommands() {
		c.add(command.Name, command.Usage)
	}
}

func (c *completion) addFlags(command *cli.Command) {
	flags := visible(command.Flags)
	if command.Name == exportName {
		flags = append(flags, flagHelp{names: []string{"--" + helpName}, text: "show help"})
	}
	flags = append(flags, flagHelp{names: []string{"--" + versionName}, text: "print the version"})
	for _, flag := range flags {
		for _, name := range flag.names {
			c.add(name, flag.text)
		}
	}
}

// isPath reports whether a word is the beginning of a path.
func isPath(typed string) bool {
	return strings.HasPrefix(typed, "~") || strings.ContainsRune(typed, filepath.Separator)
}
