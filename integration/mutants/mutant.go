package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// mutant is one change of one file that tests should notice.
type mutant struct {
	file   string // below the root of the project, with slashes
	breaks string // what, in a phrase
	tests  []tests
	before string // occurs once in the file
	after  string
	at     string // the place in the list: "bundle.txt:12"
}

func (m mutant) String() string { return m.file + ": " + m.breaks }

// folder is where the file is.
func (m mutant) folder() string { return path.Dir(m.file) }

// changed returns the text of the file with the change in it.
func (m mutant) changed(root string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.at, err)
	}
	if n := strings.Count(string(text), m.before); n != 1 {
		return nil, fmt.Errorf("%s: the old text occurs %d times in %s, and must occur once: %q", m.at, n, m.file, m.before)
	}
	return []byte(strings.Replace(string(text), m.before, m.after, 1)), nil
}
