package noderange

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Value returns the value of an attribute for a node. Most values are taken literally;
// some forms are expressions over the node's name:
//
//	/regexp/text/   the name with the first match replaced by text, as it is
//	|regexp|text|   the same, but parentheses in text hold arithmetic over $1...
//	|text|          the same with a regexp that finds every number in the name
//
// The result is "" where xCAT takes an attribute for not set. A sentence says what an
// administrator should know. The error names the part of an expression that cannot be
// computed here.
func Value(node, value string) (result, sentence string, err error) {
	if len(value) < 2 || value[0] != '/' && value[0] != '|' || value[0] != value[len(value)-1] {
		return value, "", nil
	}
	if len(value) > valueMax || len(node) > nameMax {
		return "", "", fmt.Errorf("an expression has at most %d bytes, and the name of its node %d", valueMax, nameMax)
	}
	switch {
	case isSlashForm(value):
		pattern, text, _ := strings.Cut(value[1:len(value)-1], "/")
		return substitute(node, pattern, func(match) (string, error) { return text, nil })
	case value[0] == '|':
		pattern, text, found := strings.Cut(value[1:len(value)-1], "|")
		if !found {
			pattern, text = everyNumber(node), pattern
		}
		return substitute(node, pattern, func(m match) (string, error) { return compute(text, m) })
	}
	return value, "", nil
}

const (
	// valueMax is the longest expression, and the longest value that one has. A column
	// of MySQL holds as many bytes.
	valueMax = 64 << 10
	// nameMax is the longest name of a node that an expression is computed for.
	nameMax = 1024
)

// isSlashForm reports whether a value is /regexp/text/, where neither holds a
// slash.
func isSlashForm(value string) bool {
	return len(value) > 2 && value[0] == '/' && value[len(value)-1] == '/' && strings.Count(value, "/") == 3
}

// number is a number in a node's name, with what is before it.
const number = `[\D0]*(\d+)`

var numberRE = regexp.MustCompile(number)

// everyNumber returns the regular expression that |text| stands for.
func everyNumber(node string) string {
	return strings.Repeat(number, len(numberRE.FindAllString(node, -1))) + ".*$"
}

// match is where a regular expression matches a node's name.
type match struct {
	before, after string
	groups        []string
}

// substitute replaces the first match in the node's name.
func substitute(node, pattern string, text func(match) (string, error)) (result, sentence string, err error) {
	if pattern == "" {
		return "", "", errors.New("the regular expression is empty")
	}
	re, err := compileFor(node, pattern)
	if err != nil {
		return "", "", err
	}
	at := re.FindStringSubmatchIndex(node)
	if at == nil {
		return node, fmt.Sprintf("the regular expression %s does not match the node's name, so the value is the name itself, as in xCAT", pattern), nil
	}
	m := match{before: node[:at[0]], after: node[at[1]:], groups: re.FindStringSubmatch(node)[1:]}
	replacement, err := text(m)
	if err != nil {
		return "", "", err
	}
	return m.before + replacement + m.after, "", nil
}

// compute replaces each outermost pair of parentheses in text by the value of its
// content. Content that is not arithmetic has an empty value. xCAT looks at what it has
// replaced again, and if a part of the name with parentheses stands there, it may never
// end; here that is an error.
func compute(text string, m match) (string, error) {
	var done strings.Builder
	for {
		before, expr, after, found := parenthesised(text)
		if !found {
			done.WriteString(text)
			return done.String(), nil
		}
		value, err := m.evaluate(expr)
		if err != nil {
			return "", err
		}
		if strings.ContainsAny(value, "()") {
			return "", fmt.Errorf("%s is %s, a part of the name with parentheses, which would be computed again", expr, value)
		}
		done.WriteString(before)
		done.WriteString(value)
		if text = after; done.Len() > valueMax {
			return "", fmt.Errorf("the value is longer than %d bytes", valueMax)
		}
	}
}

// groupAlone is a pair of parentheses that holds nothing but $N.
var groupAlone = regexp.MustCompile(`^[\s(]*\$(\d+)[\s)]*$`)

// evaluate computes one pair of parentheses. xCAT evaluates the whole name with the match
// replaced, and that has no value if the match is only a part of the name.
func (m match) evaluate(expr string) (string, error) {
	text := m.before + expr + m.after
	if alone := groupAlone.FindStringSubmatch(text); alone != nil {
		return m.group(alone[1]), nil // as it is: 012 stays 012
	}
	v, err := evaluate(text, m.groups)
	switch {
	case err == nil:
		return strconv.FormatInt(v, 10), nil
	case errors.Is(err, errNotSupported) && text == expr:
		return "", fmt.Errorf("%s is %w", expr, err)
	}
	return "", nil
}

// group returns the text that the group with the number matched, "" without such a group.
func (m match) group(number string) string {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(m.groups) {
		return ""
	}
	return m.groups[n-1]
}

// parenthesised finds the first pair of parentheses, with what is nested in it.
func parenthesised(text string) (before, expr, after string, found bool) {
	start := strings.IndexAny(text, "()")
	if start < 0 || text[start] == ')' {
		return "", "", "", false
	}
	depth := 0
	for i := start; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return text[:start], text[start : i+1], text[i+1:], true
		}
	}
	return "", "", "", false
}
