package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"

	"imgexportfs/cmd/imgexportfs/config"
)

func configCommand() *cli.Command {
	f := newMountFlags()
	return &cli.Command{
		Name:        "config",
		Usage:       "print the settings in force as YAML, each with where it is from",
		Description: "Takes the flags of mount that a configuration file may set. Of a password, " + hidden + " is shown.",
		Flags:       append([]cli.Flag{f.site.configFlag()}, settable(f.forCommand())...),
		Before:      f.takeFile,
		Action:      func(c *cli.Context) error { return runConfig(c, f) },
	}
}

func runConfig(c *cli.Context, f *mountFlags) error {
	if c.Args().Present() {
		return usageError("config takes no arguments, but there is %q", c.Args().First())
	}
	given := len(f.list)
	if s, set := f.site.file.Setting(optionsKey); set {
		given -= len(s.Values)
	}
	report := &settings{flags: f.site, options: f.list, given: given > 0, optionFlags: map[string]bool{}}
	set := func(name, value string) error {
		report.optionFlags[name] = true
		return c.Set(name, value)
	}
	if err := f.options.read(f.list, c.Command.Flags, set, false); err != nil {
		return usageError("%w; see %s config --help", err, programName)
	}
	text, err := report.text(c)
	if err == nil {
		_, err = c.App.Writer.Write(text)
	}
	return withCode(exitWrite, err)
}

// settings are what the config command prints.
type settings struct {
	flags       *siteFlags
	options     optionList
	given       bool            // the command line has options, too
	optionFlags map[string]bool // flags that an option of the command line has set
}

// text is a configuration file that says the same, but for passwords.
func (s *settings) text(c *cli.Context) ([]byte, error) {
	top := &yaml.Node{Kind: yaml.MappingNode, HeadComment: s.heading()}
	for _, flag := range settable(c.Command.Flags) {
		key := keyOf(flag)
		value, source := s.value(c, flag)
		value.LineComment = source
		top.Content = append(top.Content, stringNode(key), value)
	}
	if s.flags.isOfSite() && len(s.flags.file.Images) > 0 {
		images := stringNode("images")
		images.HeadComment = s.flags.file.Name
		top.Content = append(top.Content, images, imagesNode(s.flags.file.Images))
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(top); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// heading says which file was read.
func (s *settings) heading() string {
	switch {
	case s.flags.file == nil:
		return "no configuration file"
	case !s.flags.isOfSite():
		return s.flags.file.Name + " is about another root: its cfgloc and images do not count"
	}
	return s.flags.file.Name
}

// value returns the value of a flag, and where it is from.
func (s *settings) value(c *cli.Context, flag cli.Flag) (value *yaml.Node, source string) {
	switch key := keyOf(flag); key {
	case "cfgloc":
		return s.location()
	case optionsKey:
		return s.optionsNode()
	default:
		if generic, ok := flag.(*cli.GenericFlag); ok {
			return stringNode(generic.Value.String()), s.source(key, c.IsSet(key))
		}
		value = stringNode(fmt.Sprint(c.Value(key)))
		switch kindOf(flag) {
		case config.Switch:
			value.Tag = "!!bool"
		case config.Number:
			value.Tag = "!!int"
		}
		return value, s.source(key, c.IsSet(key))
	}
}

const (
	fromCommandLine = "command line"
	fromDefault     = "default"
)

// source says where the value of a flag is from.
func (s *settings) source(key string, isSet bool) string {
	_, inEnvironment := os.LookupEnv(cacheDirEnv)
	switch {
	case slices.Contains(s.flags.taken, key) && !s.optionFlags[key]:
		return s.place(key)
	case isSet:
		return fromCommandLine
	case key == "cache-dir" && inEnvironment:
		return cacheDirEnv
	}
	return fromDefault
}

// place is the line of the file that has a key.
func (s *settings) place(key string) string {
	setting, _ := s.flags.file.Setting(key)
	return fmt.Sprintf("%s:%d", s.flags.file.Name, setting.Line)
}

// location is the value of cfgloc without its password.
func (s *settings) location() (*yaml.Node, string) {
	text, source := s.flags.location(), fromCommandLine
	switch {
	case s.flags.cfgloc != "":
	case text != "":
		source = s.place("cfgloc")
	case getenv(locationEnv) != "" && filepath.Clean(cmp.Or(s.flags.root, "/")) == "/":
		text, source = getenv(locationEnv), locationEnv
	default:
		return stringNode(""), "default: " + cfglocDefault
	}
	return stringNode(withoutPasswords(text, []string{"--cfgloc=" + text})), source
}

// optionsNode is the list of the file's options and those of the command line.
func (s *settings) optionsNode() (*yaml.Node, string) {
	var sources []string
	if _, set := s.flags.file.Setting(optionsKey); set {
		sources = append(sources, s.place(optionsKey))
	}
	if s.given {
		sources = append(sources, fromCommandLine)
	}
	return listNode(s.options), cmp.Or(strings.Join(sources, ", "), fromDefault)
}

// imagesNode is what a file says of images.
func imagesNode(images []config.Image) *yaml.Node {
	all := &yaml.Node{Kind: yaml.MappingNode}
	for _, image := range images {
		entry := &yaml.Node{Kind: yaml.MappingNode}
		if len(image.Extras) > 0 {
			entry.Content = append(entry.Content, stringNode("extra"), listNode(image.Extras))
		}
		if image.Node != "" {
			entry.Content = append(entry.Content, stringNode("postscripts"), stringNode(image.Node))
		}
		all.Content = append(all.Content, stringNode(image.Pattern), entry)
	}
	return all
}

func listNode(values []string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, value := range values {
		list.Content = append(list.Content, stringNode(value))
	}
	return list
}

// stringNode is a string, in quotes where YAML would take it for something else.
func stringNode(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	return node
}
