package main

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"
)

// The sources of the man pages in Markdown. A line "{{NAME}}" stands for what is made
// of the commands and their flags.
var (
	//go:embed man/imgexportfs.1.md
	programPage string
	//go:embed man/imgexportfs.yaml.5.md
	filePage string
	//go:embed man/mount.imgexportfs.8.md
	helperPage string
)

func manCommand() *cli.Command {
	pages := map[string]string{
		"imgexportfs.1": programPage, "imgexportfs.yaml.5": filePage, "mount.imgexportfs.8": helperPage,
	}
	return &cli.Command{
		Name: "man", Usage: "print the source of a man page", ArgsUsage: "PAGE", Hidden: true,
		Action: func(c *cli.Context) error {
			page, known := pages[c.Args().First()]
			if !known || c.NArg() != 1 {
				return usageError("man takes one page: imgexportfs.1, imgexportfs.yaml.5 or mount.imgexportfs.8")
			}
			_, err := io.WriteString(c.App.Writer, manPage(c.App, page))
			return withCode(exitWrite, err)
		},
	}
}

// manPage is a man page in the language of man(7).
func manPage(app *cli.App, source string) string {
	filled := strings.NewReplacer(
		"{{commands}}\n", manCommands(app),
		"{{exitcodes}}\n", manLiteral(exitCodes),
		"{{mountoptions}}\n", manMountOptions(app.Command("mount")),
		"{{fileflags}}\n", manFileFlags(app),
	).Replace(source)
	return string(md2man.Render([]byte(filled)))
}

// manCommands describes every command with its flags and its example.
func manCommands(app *cli.App) string {
	var page strings.Builder
	for _, command := range app.VisibleCommands() {
		fmt.Fprintf(&page, "## %s\n", manText(synopsis(command)))
		fmt.Fprintf(&page, "%s.\n\n", manText(upperFirst(command.Usage)))
		if command.Description != "" {
			fmt.Fprintf(&page, "%s\n\n", manText(command.Description))
		}
		for _, flag := range visible(command.Flags) {
			if !slices.Contains(flag.names, "--"+helpName) {
				page.WriteString(manFlag(flag.names, flag.value, flag.body()))
			}
		}
		page.WriteString("Example:\n\n" + manLiteral(strings.Join(examples[command.Name], "\n")))
	}
	return page.String()
}

// manMountOptions lists the flags of the mount command as options of mount(8).
func manMountOptions(mount *cli.Command) string {
	var page strings.Builder
	for _, flag := range visible(mount.Flags) {
		name, long := strings.CutPrefix(flag.names[0], "--")
		if !long || name == "cfgloc" || name == "daemon" || name == helpName {
			continue
		}
		name = strings.ReplaceAll(name, "-", "_")
		if flag.value != "" {
			name += "="
		}
		page.WriteString(manFlag([]string{name}, flag.value, flag.body()))
	}
	return page.String()
}

// manFileFlags lists the flags that are keys of the configuration file.
func manFileFlags(app *cli.App) string {
	var page strings.Builder
	noKeys := []string{"config", "daemon", "verbose", "debug", helpName}
	for _, flag := range visible(app.Command("mount").Flags) {
		name, long := strings.CutPrefix(flag.names[0], "--")
		if long && !slices.Contains(noKeys, name) {
			page.WriteString(manFlag([]string{name + ":"}, flag.value, flag.body()))
		}
	}
	return page.String()
}

// manFlag is an entry of a list of flags.
func manFlag(names []string, value, text string) string {
	bold := make([]string, len(names))
	for i, name := range names {
		bold[i] = "**" + manText(name) + "**"
	}
	head := strings.Join(bold, ", ")
	if value != "" {
		head += " *" + manText(value) + "*"
	}
	return head + "\n: " + manText(upperFirst(text)) + ".\n\n"
}

// manLiteral is a block that is shown as it is.
func manLiteral(text string) string {
	return "```\n" + strings.TrimSuffix(text, "\n") + "\n```\n\n"
}

// manText keeps Markdown from taking marks in text for its own.
func manText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, "|", `\|`, "`", "\\`").Replace(text)
}

func upperFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
