package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// flagHelp is what help, man pages and completion say of a flag.
type flagHelp struct {
	names    []string // with their dashes
	value    string   // "" for a switch
	text     string
	fallback string // the default; "" if there is none worth a word
}

// helpOf reads the help of a flag. Its usage names the value in backquotes: at its
// beginning, followed by a colon, or in the sentence.
func helpOf(flag cli.Flag) flagHelp {
	var h flagHelp
	for _, name := range flag.Names() {
		h.names = append(h.names, dashed(name))
	}
	doc, ok := flag.(cli.DocGenerationFlag)
	if !ok {
		return h
	}
	h.text = doc.GetUsage()
	if before, rest, found := strings.Cut(h.text, "`"); found {
		value, after, _ := strings.Cut(rest, "`")
		h.value, h.text = value, before+value+after
		if text, head := strings.CutPrefix(after, ": "); before == "" && head {
			h.text = text
		}
	}
	if doc.TakesValue() {
		if h.value == "" {
			h.value = "VALUE"
		}
		h.fallback = doc.GetDefaultText()
		if h.fallback == `""` {
			h.fallback = ""
		}
	}
	return h
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// head is the flag as it is typed: "-v, --verbose", "--root DIR".
func (h flagHelp) head() string {
	head := strings.Join(h.names, ", ")
	if h.value != "" {
		head += " " + h.value
	}
	return head
}

// body is what the flag does, with its default.
func (h flagHelp) body() string {
	if h.fallback == "" {
		return h.text
	}
	return h.text + " (default: " + h.fallback + ")"
}

// visible returns the flags of a command that people are told of.
func visible(flags []cli.Flag) (shown []flagHelp) {
	for _, flag := range flags {
		if v, ok := flag.(cli.VisibleFlag); ok && v.IsVisible() {
			shown = append(shown, helpOf(flag))
		}
	}
	return shown
}
