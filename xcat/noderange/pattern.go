package noderange

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// pattern describes names: one alternative of every piece, one after the other.
type pattern []piece

type piece []alternative

// alternative is text with a number in it, or without one if there is no sequence.
type alternative struct {
	before  string
	numbers sequence
	after   string
}

// isBare reports whether p describes numbers alone.
func (p pattern) isBare() bool {
	return len(p) == 1 && len(p[0]) == 1 && p[0][0].before == "" && p[0][0].after == "" && p[0][0].numbers.from != ""
}

// count is how many names a pattern of one alternative with a number describes, or a
// great number for any other.
func (p pattern) count() uint64 {
	const digitsMax = 18 // of what surely is an int64
	if len(p) != 1 || len(p[0]) != 1 {
		return math.MaxUint64
	}
	s := p[0][0].numbers
	if s.from == "" || len(s.from) > digitsMax || len(s.to) > digitsMax {
		return math.MaxUint64
	}
	from, errFrom := strconv.ParseUint(s.from, 10, 64)
	to, errTo := strconv.ParseUint(s.to, 10, 64)
	switch {
	case errFrom != nil || errTo != nil:
		return math.MaxUint64
	case len(s.to) < s.width() || from > to:
		return 0
	}
	return to - from + 1
}

// size is the number of alternatives.
func (p pattern) size() int {
	n := 0
	for _, pc := range p {
		n += len(pc)
	}
	return n
}

// describes reports whether p describes the name. It goes from piece to piece with all
// places where the one before may end, so the time does not grow with the number of ways.
func (p pattern) describes(name string) bool {
	var room, roomAt [8]int // names have few places where a piece may end
	at := append(roomAt[:0], 0)
	for _, pc := range p {
		ends := room[:0]
		for _, start := range at {
			for _, a := range pc {
				ends = a.appendEnds(ends, name, start)
			}
		}
		if len(ends) == 0 {
			return false
		}
		slices.Sort(ends)
		at = append(at[:0], slices.Compact(ends)...)
	}
	return at[len(at)-1] == len(name)
}

// appendEnds adds where the alternative may end in name if it begins at start.
func (a alternative) appendEnds(ends []int, name string, start int) []int {
	if !strings.HasPrefix(name[start:], a.before) {
		return ends
	}
	start += len(a.before)
	if a.numbers.from == "" {
		return append(ends, start)
	}
	for end := start + 1; end <= len(name) && isDigit(name[end-1]); end++ {
		if a.numbers.holds(name[start:end]) && strings.HasPrefix(name[end:], a.after) {
			ends = append(ends, end+len(a.after))
		}
	}
	return ends
}

// sequence is the numbers from one to another. If the first one begins with a zero, the
// others have as many digits at least.
type sequence struct{ from, to string }

// width is the number of digits that a number has at least.
func (s sequence) width() int {
	if s.from[0] == '0' {
		return len(s.from)
	}
	return 1
}

func (s sequence) holds(digits string) bool {
	width := s.width()
	if len(digits) < width || len(digits) > width && digits[0] == '0' {
		return false
	}
	return compareNumbers(s.from, digits) <= 0 && compareNumbers(digits, s.to) <= 0
}

// isBackwards reports a sequence of padded numbers that goes down. There xCAT goes up to
// the last number of as many digits.
func (s sequence) isBackwards() bool {
	return len(s.from) > 1 && s.from[0] == '0' && len(s.from) <= len(s.to) && compareNumbers(s.from, s.to) > 0
}

// compareNumbers compares numbers of any length.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// parsePattern reads NODE[LIST]..., NODE+N, NODE-NODE or NODE:NODE. The pattern is nil if
// the text is none of them.
func parsePattern(text string) (pattern, error) {
	switch {
	case strings.Contains(text, "["):
		return parseBrackets(text)
	case strings.Contains(text, "+"):
		return parsePlus(text), nil
	}
	left, right, ok := strings.Cut(text, ":")
	if !ok {
		if left, right, ok = cutMiddle(text); !ok {
			return nil, nil
		}
	}
	a, ok, err := between(left, right)
	if !ok || err != nil {
		return nil, err
	}
	return pattern{{a}}, nil
}

// cutMiddle splits a range at its dash. Names may hold dashes, as many on either side.
func cutMiddle(text string) (left, right string, ok bool) {
	dashes := strings.Count(text, "-")
	if dashes%2 == 0 {
		return "", "", false
	}
	for i := range len(text) {
		if text[i] != '-' {
			continue
		}
		if dashes -= 2; dashes < 0 {
			return text[:i], text[i+1:], true
		}
	}
	return "", "", false
}

// between returns the names from one to another, which may differ in one number.
func between(left, right string) (alternative, bool, error) {
	if left == right {
		return alternative{before: left}, true, nil
	}
	a, b := components(left), components(right)
	if len(a) != len(b) {
		return alternative{}, false, nil
	}
	at := -1
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		if at >= 0 || i%2 == 0 {
			return alternative{}, false, nil
		}
		at = i
	}
	numbers := sequence{a[at], b[at]}
	if numbers.isBackwards() {
		return alternative{}, false, fmt.Errorf("the range from %s to %s goes down, and xCAT would go up from %s; write it from low to high", left, right, left)
	}
	return alternative{strings.Join(a[:at], ""), numbers, strings.Join(a[at+1:], "")}, true, nil
}

// parseBrackets reads text with lists in brackets. Digits before a bracket, and those
// behind the last one, belong to the numbers in it, as in xCAT: n[1-2]0 is n10 to n20.
func parseBrackets(text string) (pattern, error) {
	if text[0] == '[' {
		return nil, nil // nothing in xCAT either
	}
	var p pattern
	for rest := text; rest != ""; {
		literal, behind, found := strings.Cut(rest, "[")
		if !found {
			p = append(p, piece{{before: literal}})
			break
		}
		list, after, closed := strings.Cut(behind, "]")
		if !closed || strings.ContainsAny(literal+list, "[]") {
			return nil, nil
		}
		name := strings.TrimRight(literal, "0123456789")
		if p != nil && name == "" {
			return nil, fmt.Errorf("in %s one pair of brackets follows another without a letter between them; write the nodes as several parts", text)
		}
		rest = after
		if !strings.Contains(after, "[") {
			rest = strings.TrimLeft(after, "0123456789")
		}
		pc, err := parseItems(literal[len(name):], list, after[:len(after)-len(rest)])
		if err != nil || pc == nil {
			return nil, err
		}
		p = append(p, piece{{before: name}}, pc)
	}
	return p, nil
}

// parseItems reads the list in a pair of brackets, with the digits on both sides.
func parseItems(before, list, after string) (piece, error) {
	var pc piece
	for item := range strings.SplitSeq(list, ",") {
		if item == "" {
			continue
		}
		from, to := item, item
		if i := strings.IndexAny(item, "-:"); i >= 0 {
			from, to = item[:i], item[i+1:]
		}
		a, ok, err := between(before+from+after, before+to+after)
		if err != nil {
			return nil, err
		}
		if ok {
			pc = append(pc, a)
		}
	}
	return pc, nil
}
