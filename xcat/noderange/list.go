package noderange

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// depthMax is how deep parentheses and files may be nested.
	depthMax = 20
	// stepsMax is how often one noderange may look at a name, which takes one or two
	// seconds in all. A range looks at as many names as it has, or at the site's if those
	// are not many more.
	stepsMax = 5_000_000
	// looksMax is how often it may look at each name of a site that has so many that this
	// is more.
	looksMax = 10
	// stepNodes is how many nodes of sets are noted in the time of a look at a name.
	stepNodes = 8
	// shownMax is how much of a noderange a message shows.
	shownMax = 200
)

// evaluation finds the nodes of one noderange.
type evaluation struct {
	*Nodes
	site    Site
	unknown []string // parts that stand for no node

	steps, stepsMax int // names that were looked at, and may be
}

// spend counts n names that are looked at.
func (e *evaluation) spend(n int) error {
	if e.steps += n; e.steps > e.stepsMax {
		return errors.New("it is too long; name groups instead of many ranges")
	}
	return nil
}

// refusal says of a noderange why it is refused.
func refusal(noderange string, err error) error {
	if len(noderange) > shownMax {
		noderange = noderange[:shownMax] + "..."
	}
	return fmt.Errorf("noderange %s is refused as a whole: %w", noderange, err)
}

// list returns the nodes of a list. Parts with a dash before them are taken off the
// whole, wherever they stand. Quotes do not count.
func (e *evaluation) list(text string, depth int) (set, error) {
	if depth > depthMax {
		return nil, fmt.Errorf("parentheses are nested more than %d times", depthMax)
	}
	text = strings.NewReplacer(`"`, "", "'", "").Replace(text)
	var found, minus union
	for _, part := range split(text, ',') {
		if part == "" {
			continue
		}
		if err := e.spend(1); err != nil {
			return nil, err
		}
		rest, isMinus := strings.CutPrefix(part, "-")
		nodes, err := e.part(rest, isMinus, depth)
		if err != nil {
			return nil, err
		}
		if isMinus {
			minus.add(nodes)
		} else {
			found.add(nodes)
		}
	}
	if err := e.spend((found.cost(e.names) + minus.cost(e.names)) / stepNodes); err != nil {
		return nil, err
	}
	return found.nodes(e.names).without(minus.nodes(e.names)), nil
}

// part returns the nodes of one part of a list: those that all of its sides of "@" have
// in common.
func (e *evaluation) part(text string, isMinus bool, depth int) (set, error) {
	if path, isFile := strings.CutPrefix(text, "^"); isFile && !isMinus {
		return e.file(path, depth)
	}
	var common set
	for i, side := range split(text, '@') {
		if i > 0 && strings.HasPrefix(side, "-") {
			return nil, fmt.Errorf("in %s the dash behind @ has no meaning in xCAT; write what is to be left out behind a comma", text)
		}
		nodes, err := e.atom(side, depth)
		if err != nil {
			return nil, err
		}
		if len(nodes) == 0 {
			e.unknown = append(e.unknown, text)
		}
		if i == 0 {
			common = nodes
		} else if err := e.spend((len(common) + len(nodes)) / stepNodes); err != nil {
			return nil, err
		} else {
			common = common.intersect(nodes)
		}
	}
	return common, nil
}

// split splits text at a separator that is neither in brackets nor in parentheses. As in
// xCAT it is in brackets if the next bracket closes.
func split(text string, separator byte) []string {
	var parts []string
	depth, start, bracket := 0, 0, -1
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case separator:
			if bracket < i {
				bracket = nextBracket(text, i)
			}
			if depth <= 0 && (bracket == len(text) || text[bracket] == '[') {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, text[start:])
}

// nextBracket returns where the first bracket is in text from i on, or its length.
func nextBracket(text string, i int) int {
	if n := strings.IndexAny(text[i:], "[]"); n >= 0 {
		return i + n
	}
	return len(text)
}
