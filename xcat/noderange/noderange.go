package noderange

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Nodes are the nodes of a site and their groups.
type Nodes struct {
	groups map[string][]string // of each node, in their order
	names  []string            // of the nodes, in byte order
}

// NewNodes returns the nodes with the given groups, which must not change any more.
func NewNodes(groups map[string][]string) *Nodes {
	return &Nodes{groups: groups, names: slices.Sorted(maps.Keys(groups))}
}

// Groups returns the groups of a node, in their order.
func (n *Nodes) Groups(node string) []string { return n.groups[node] }

// First returns the node whose postscripts imgexport -p takes: the first in byte
// order of those that the noderange stands for. A noderange is a list separated by
// commas of nodes, groups, and ranges such as n1-n4 and n[1-4]; only nodes of the
// site count. If there is none the error's text is imgexport's.
func (n *Nodes) First(noderange string) (string, error) {
	first := ""
	for _, part := range splitRange(noderange) {
		match, err := n.parseRange(part)
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(n.names, match)
		if i >= 0 && (first == "" || n.names[i] < first) {
			first = n.names[i]
		}
	}
	if first == "" {
		return "", errors.New("Unable to get postscripts, " + noderange + " is not a valide node.")
	}
	return first, nil
}

// splitRange splits at commas that are not in brackets.
func splitRange(noderange string) []string {
	depth := 0
	return strings.FieldsFunc(noderange, func(r rune) bool {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		return r == ',' && depth == 0
	})
}

// parseRange returns which nodes one part of a noderange stands for.
func (n *Nodes) parseRange(part string) (func(node string) bool, error) {
	if _, isNode := n.groups[part]; isNode {
		return func(node string) bool { return node == part }, nil
	}
	if n.isGroup(part) {
		return func(node string) bool { return slices.Contains(n.groups[node], part) }, nil
	}
	if form := otherForm(part); form != "" {
		return nil, fmt.Errorf("noderange form %s is not supported (in %s): name a node, a group, a list such as n1,n2, or a range such as n1-n4 or n[1-4]", form, part)
	}
	return parseSpan(part).holds, nil
}

func (n *Nodes) isGroup(name string) bool {
	for _, groups := range n.groups {
		if slices.Contains(groups, name) {
			return true
		}
	}
	return false
}

// otherForms are the forms of noderange(3) that only xCAT understands, by how
// they begin and by what they hold.
var otherForms = []struct{ prefix, inside, name string }{
	{prefix: "-", name: "-exclusion"},
	{prefix: "/", name: "/regular expression"},
	{prefix: "~", name: "~regular expression"},
	{prefix: "^", name: "^file"},
	{prefix: "@", name: "@group"},
	{inside: "@", name: "group@group"},
	{inside: "+", name: "node+number"},
	{inside: ":", name: "node:node"},
	{inside: "%", name: "%"},
}

// otherForm names the form of part if it is one of otherForms.
func otherForm(part string) string {
	for _, f := range otherForms {
		if strings.HasPrefix(part, f.prefix) && strings.Contains(part, f.inside) {
			return f.name
		}
	}
	return ""
}

// span is the nodes PREFIX NUMBER SUFFIX with the number in one of the ranges.
type span struct {
	prefix, suffix string
	width          int         // digits at least, filled with zeros: n01-n10
	ranges         [][2]uint64 // first and last
}

// parseSpan reads PREFIX[A-B,C]SUFFIX and PREFIXaSUFFIX-PREFIXbSUFFIX. Of other text
// it makes the empty span.
func parseSpan(text string) span {
	if open := strings.IndexByte(text, '['); open >= 0 {
		list, suffix, closed := strings.Cut(text[open+1:], "]")
		if !closed || strings.ContainsAny(suffix, "[]") {
			return span{}
		}
		return parseBrackets(text[:open], list, suffix)
	}
	// A dash may be part of a name, so every one may be the dash.
	for i := range len(text) {
		if text[i] != '-' {
			continue
		}
		prefix, from, suffix, ok := splitNumber(text[:i])
		prefix2, to, suffix2, ok2 := splitNumber(text[i+1:])
		if ok && ok2 && prefix == prefix2 && suffix == suffix2 {
			s := span{prefix: prefix, suffix: suffix, width: len(from)}
			s.add(from, to)
			return s
		}
	}
	return span{}
}

func parseBrackets(prefix, list, suffix string) span {
	s := span{prefix: prefix, suffix: suffix}
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		if s.width == 0 {
			s.width = len(from)
		}
		if !s.add(from, to) {
			return span{}
		}
	}
	return s
}

// add adds a range, unless its ends are not numbers.
func (s *span) add(from, to string) bool {
	a, errA := strconv.ParseUint(from, 10, 64)
	b, errB := strconv.ParseUint(to, 10, 64)
	if errA != nil || errB != nil {
		return false
	}
	s.ranges = append(s.ranges, [2]uint64{a, b})
	return true
}

// holds reports whether the node is in the span. A number is written with the
// digits of the first one at least, and without further zeros.
func (s span) holds(node string) bool {
	digits, ok := strings.CutPrefix(node, s.prefix)
	if !ok {
		return false
	}
	if digits, ok = strings.CutSuffix(digits, s.suffix); !ok {
		return false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || len(digits) < s.width || len(digits) > s.width && digits[0] == '0' {
		return false
	}
	return slices.ContainsFunc(s.ranges, func(r [2]uint64) bool { return r[0] <= n && n <= r[1] })
}

// splitNumber splits a node name at its last number.
func splitNumber(name string) (prefix, digits, suffix string, ok bool) {
	end := strings.LastIndexAny(name, "0123456789") + 1
	start := end
	for start > 0 && name[start-1] >= '0' && name[start-1] <= '9' {
		start--
	}
	return name[:start], name[start:end], name[end:], start < end
}
