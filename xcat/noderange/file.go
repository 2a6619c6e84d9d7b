package noderange

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// fileMax is the longest file that ^file reads, in bytes.
const fileMax = 1 << 20

// file returns the nodes of the parts that a file lists, one a line. What follows a part
// and lines that begin with # are comments; lines that name another file do not count.
func (e *evaluation) file(path string, depth int) (set, error) {
	if e.site.ReadFile == nil {
		return nil, fmt.Errorf("^%s is a file, which can be named with -p only", path)
	}
	content, err := e.site.ReadFile(path, fileMax+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.unknown = append(e.unknown, "^"+path)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("^%s: %w", path, err)
	case len(content) > fileMax:
		return nil, fmt.Errorf("^%s: the file is longer than %d bytes", path, fileMax)
	}
	var parts []string
	for line := range strings.Lines(string(content)) {
		words := strings.Fields(line)
		if len(words) > 0 && words[0][0] != '#' && words[0][0] != '^' {
			parts = append(parts, words[0])
		}
	}
	return e.list(strings.Join(parts, ","), depth+1)
}
