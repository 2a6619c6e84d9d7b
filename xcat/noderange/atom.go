package noderange

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// atom returns the nodes of a part without "," and "@". A node comes before a group of
// its name, and both before anything that the text could mean.
func (e *evaluation) atom(text string, depth int) (set, error) {
	if nodes, err := e.named(text); len(nodes) > 0 || err != nil {
		return nodes, err
	}
	switch {
	case strings.HasPrefix(text, "/"):
		return e.matching(text[1:])
	case strings.HasPrefix(text, "("):
		return e.parenthesised(text, depth)
	case operators.MatchString(text):
		return e.selected(text)
	case strings.ContainsAny(text, "()"):
		return e.parenthesised(text, depth)
	case isNumber(text):
		return e.named(numberPrefix + text)
	}
	p, err := parsePattern(text)
	if err != nil || p == nil {
		return nil, err
	}
	return e.described(p)
}

// numberPrefix stands before a node that is named by its number alone.
const numberPrefix = "node"

// named returns the node or the nodes of the group with a name.
func (e *evaluation) named(name string) (set, error) {
	if _, isNode := e.groupsText[name]; isNode {
		at, _ := slices.BinarySearch(e.names, name)
		return set{int32(at)}, nil
	}
	if e.site.Dynamic[name] {
		return nil, fmt.Errorf("the group %s is dynamic, and only xcatd knows its nodes; name a node", name)
	}
	return e.members[name], nil
}

// parenthesised returns the nodes of (list).
func (e *evaluation) parenthesised(text string, depth int) (set, error) {
	if text[0] == '(' && closing(text) == len(text)-1 {
		return e.list(text[1:len(text)-1], depth+1)
	}
	return nil, fmt.Errorf("parentheses must hold whole parts, unlike those of %s", text)
}

// closing returns where the parenthesis closes that text begins with, or -1.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

// longRange is how many names are looked at in the time in which one is made and found.
const longRange = 8

// described returns the nodes, and those of the groups, whose names a pattern describes.
// If it describes bare numbers, those of nodes that begin with "node" count too.
func (e *evaluation) described(p pattern) (set, error) {
	if n := p.count(); n <= uint64(len(e.names))/longRange {
		return e.counted(p[0][0], n)
	}
	if err := e.spend((len(e.names) + len(e.groupNames) + len(e.site.Dynamic)) * p.size()); err != nil {
		return nil, err
	}
	describes := func(name string) bool {
		if digits, ok := strings.CutPrefix(name, numberPrefix); ok && p.isBare() && isNumber(digits) && !e.isKnown(digits) {
			return p.describes(digits)
		}
		return p.describes(name)
	}
	for name := range e.site.Dynamic {
		if describes(name) {
			if _, err := e.named(name); err != nil {
				return nil, err
			}
		}
	}
	found := union{sets: []set{e.filter(describes)}}
	for _, group := range e.groupNames {
		if _, isNode := e.groupsText[group]; !isNode && describes(group) {
			found.add(e.members[group])
		}
	}
	return e.together(found)
}

// filter returns the nodes for whose names a condition holds.
func (e *evaluation) filter(holds func(name string) bool) (found set) {
	for i, node := range e.names {
		if holds(node) {
			found = append(found, int32(i))
		}
	}
	return found
}

// together returns the nodes of sets that were found by one part.
func (e *evaluation) together(found union) (set, error) {
	if err := e.spend(found.cost(e.names) / stepNodes); err != nil {
		return nil, err
	}
	return found.nodes(e.names), nil
}

// counted returns the same as described, by making the n names of an alternative.
func (e *evaluation) counted(a alternative, n uint64) (set, error) {
	if err := e.spend(int(n) * longRange); err != nil {
		return nil, err
	}
	var found union
	first, _ := strconv.ParseUint(a.numbers.from, 10, 64) // count has seen that it can be
	for i := range n {
		name := fmt.Sprintf("%s%0*d%s", a.before, a.numbers.width(), first+i, a.after)
		if isNumber(name) && !e.isKnown(name) {
			name = numberPrefix + name
		}
		nodes, err := e.named(name)
		if err != nil {
			return nil, err
		}
		found.add(nodes)
	}
	return e.together(found)
}

// isKnown reports whether a node or a group has the name.
func (e *evaluation) isKnown(name string) bool {
	_, isNode := e.groupsText[name]
	return isNode || len(e.members[name]) > 0 || e.site.Dynamic[name]
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// plusForm is NODE+N: a name that ends in a number, or has a dot behind it.
var plusForm = regexp.MustCompile(`^(.*?)(\d+)(\..+)?\+(\d+)$`)

// parsePlus reads NODE+N: the node, and the next N by its number.
func parsePlus(text string) pattern {
	parts := plusForm.FindStringSubmatch(text)
	if parts == nil {
		return nil
	}
	prefix, digits, suffix := parts[1], parts[2], parts[3]
	from, errFrom := strconv.ParseUint(digits, 10, 64)
	n, errN := strconv.ParseUint(parts[4], 10, 32)
	if errFrom != nil || errN != nil || from+n < from {
		return nil
	}
	if prefix == "" && suffix == "" {
		prefix = numberPrefix
	}
	to := fmt.Sprintf("%0*d", len(digits), from+n)
	return pattern{{{prefix, sequence{digits, to}, suffix}}}
}

// components splits a name into text, digits, text, digits and so on to text.
func components(name string) []string {
	var parts []string
	start := 0
	for i := range len(name) {
		if inDigits := len(parts)%2 == 1; inDigits != isDigit(name[i]) {
			parts = append(parts, name[start:i])
			start = i
		}
	}
	if parts = append(parts, name[start:]); len(parts)%2 == 0 {
		parts = append(parts, "")
	}
	return parts
}
