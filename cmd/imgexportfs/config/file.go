package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Kind says which values of YAML a setting may have.
type Kind string

// The kinds of settings.
const (
	Text   Kind = "a string"
	Number Kind = "a whole number"
	Switch Kind = "true or false"
	Amount Kind = "a number or a string" // of bytes or of time
	List   Kind = "a string or a list of strings"
)

// tags are the types of YAML that a kind takes. A list is looked into.
var tags = map[Kind][]string{
	Text: {"!!str"}, Number: {"!!int"}, Switch: {"!!bool"}, Amount: {"!!int", "!!float", "!!str"}, List: {"!!str"},
}

// Setting is one setting of a file.
type Setting struct {
	Key    string
	Values []string // more than one, or none, in a List
	Line   int
}

// File is a configuration file that has been read.
type File struct {
	Name     string
	Settings []Setting // in their order
	Images   []Image   // in their order
}

// ImagesKey heads what is said of images.
const ImagesKey = "images"

// Parse reads a file. keys are the settings that it may hold.
func Parse(name string, text []byte, keys map[string]Kind) (*File, error) {
	f := &File{Name: name}
	top, err := f.document(text)
	if top == nil || err != nil {
		return f, err
	}
	err = f.eachEntry(top, "the file", func(key string, at, value *yaml.Node) error {
		if key == ImagesKey {
			return f.readImages(value)
		}
		kind, known := keys[key]
		if !known {
			known := append(slices.Sorted(maps.Keys(keys)), ImagesKey)
			return f.Error(at.Line, "unknown key %q; there are %s", key, strings.Join(known, ", "))
		}
		values, err := f.values(key, kind, value)
		f.Settings = append(f.Settings, Setting{Key: key, Values: values, Line: at.Line})
		return err
	})
	return f, err
}

// Error is an error about a line of the file.
func (f *File) Error(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", f.Name, line, fmt.Errorf(format, args...))
}

// Setting returns the setting of a key.
func (f *File) Setting(key string) (Setting, bool) {
	if f != nil {
		for _, s := range f.Settings {
			if s.Key == key {
				return s, true
			}
		}
	}
	return Setting{}, false
}

// yamlError matches what the library says of text that is no YAML.
var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// document returns what the file holds at its top; nil if that is nothing.
func (f *File) document(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		if err = decoder.Decode(&second); errors.Is(err, io.EOF) {
			return first.Content[0], nil
		}
	}
	if err == nil {
		return nil, f.Error(second.Line, "a second document begins; there can be one")
	}
	line, what := "1", err.Error()
	if parts := yamlError.FindStringSubmatch(what); parts != nil {
		if what = parts[2]; parts[1] != "" {
			line = parts[1]
		}
	}
	return nil, fmt.Errorf("%s:%s: not YAML: %s", f.Name, line, what)
}

// eachEntry calls read for each key of a mapping.
func (f *File) eachEntry(n *yaml.Node, what string, read func(key string, at, value *yaml.Node) error) error {
	n = target(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return f.Error(n.Line, "%s needs keys with values, as in KEY: VALUE", what)
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		at, value := target(n.Content[i]), target(n.Content[i+1])
		switch {
		case at.Kind != yaml.ScalarNode:
			return f.Error(at.Line, "a key of %s is not a string", what)
		case seen[at.Value]:
			return f.Error(at.Line, "the key %q stands here for the second time", at.Value)
		}
		seen[at.Value] = true
		if err := read(at.Value, at, value); err != nil {
			return err
		}
	}
	return nil
}

// target is what an alias stands for, or the node itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// values returns the values of a key.
func (f *File) values(key string, kind Kind, n *yaml.Node) ([]string, error) {
	nodes := []*yaml.Node{n}
	if kind == List && n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	var values []string
	for _, n := range nodes {
		n = target(n)
		if n.Kind != yaml.ScalarNode || !slices.Contains(tags[kind], n.ShortTag()) {
			return nil, f.Error(n.Line, "%s: the value is %s, but must be %s%s", key, described(n), kind, hint(kind, n))
		}
		values = append(values, n.Value)
	}
	return values, nil
}

// described names the type of a value.
func described(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!str":
		return "a string"
	}
	return "of the type " + n.ShortTag()
}

// hint says how a value becomes a string.
func hint(kind Kind, n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" && slices.Contains(tags[kind], "!!str") {
		return "; put it in quotes"
	}
	return ""
}
