package noderange

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// matching returns the nodes whose whole name the regular expression matches. xCAT's
// manual says that it can match groups too, which it does not.
func (e *evaluation) matching(pattern string) (set, error) {
	re, err := e.compile("^"+pattern+"$", len(e.names))
	if err != nil {
		return nil, err
	}
	return e.filter(re.MatchString), nil
}

// compile compiles a regular expression that is to be compared with so many names. A
// long one takes longer for each of them, and before that.
func (e *evaluation) compile(pattern string, names int) (*regexp.Regexp, error) {
	const (
		quick = 5 // instructions in the time of a look at a name
		made  = 8 // looks in the time in which an instruction is made
	)
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err == nil {
		n := weight(tree)
		if err := e.spend(n*made + names*(1+n/quick)); err != nil {
			return nil, err
		}
		var re *regexp.Regexp
		if re, err = regexp.Compile(pattern); err == nil {
			return re, nil
		}
	}
	return nil, fmt.Errorf("the regular expression %s is not supported: %w", pattern, err)
}

// compileFor compiles the regular expression of a value, which is compared with the name of
// one node. What repeats too much is refused, because every instruction takes memory, and
// may be tried at each byte of the name: a row of 4 KiB can ask for 300,000 of them, by
// (?:.?){1000} again and again.
func compileFor(node, pattern string) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %s is not supported: %w", pattern, err)
	}
	if weight(tree) > stepsMax/(1+len(node)) {
		return nil, fmt.Errorf("the regular expression %.*s repeats too much", shownMax, pattern)
	}
	return regexp.Compile(pattern)
}

// weight is about how many instructions a regular expression has when it is compiled. It is
// known before that takes memory for each of them.
func weight(tree *syntax.Regexp) int {
	n := 1
	if tree.Op == syntax.OpLiteral {
		n = len(tree.Rune)
	}
	for _, sub := range tree.Sub {
		n += weight(sub)
	}
	if tree.Op == syntax.OpRepeat {
		n *= max(tree.Min, tree.Max, 1)
	}
	return n
}

// operators are those of a selection by an attribute.
var operators = regexp.MustCompile(`^([^=!~,@]*)(==|!=|=~|!~)(.*)$`)

// selected returns the nodes that have an attribute: groups==all, groups=~gpu. The value
// of groups is the whole list.
func (e *evaluation) selected(text string) (set, error) {
	parts := operators.FindStringSubmatch(text)
	attribute, operator, value := parts[1], parts[2], parts[3]
	if attribute == "node" || attribute == "" {
		return nil, nil // nothing in xCAT either
	}
	if attribute != "groups" && attribute != "nodelist.groups" {
		return nil, fmt.Errorf("%s selects by an attribute that exports do not read; only groups can be used, or name the nodes", text)
	}
	holds := func(groups string) bool { return groups == value }
	if operator[1] == '~' {
		re, err := e.compile(value, len(e.names))
		if err != nil {
			return nil, err
		}
		holds = re.MatchString
	}
	if err := e.spend(len(e.names)); err != nil {
		return nil, err
	}
	return e.filter(func(node string) bool { return holds(e.groupsText[node]) == (operator[0] == '=') }), nil
}
