package noderange

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Errors of evaluate.
var (
	// errNoArithmetic reports a text that is not valid in Perl either; xCAT then
	// takes the empty string for its value.
	errNoArithmetic = errors.New("no arithmetic")
	// errNotSupported reports a text that may be Perl, but is more than
	// arithmetic.
	errNotSupported = errors.New("more than integer arithmetic")
)

// evaluate computes an expression in Perl's integer arithmetic: + - * / % and
// parentheses over numbers and over $1, $2 and so on, which are the numbers
// that the groups begin with.
func evaluate(expr string, groups []string) (int64, error) {
	p := &arithParser{rest: expr, groups: groups}
	v, err := p.sum()
	if err == nil && p.next() != 0 {
		err = p.unexpected()
	}
	return v, err
}

// arithParser is a recursive descent over what is left of an expression.
type arithParser struct {
	rest   string
	groups []string
}

// next returns the next byte that is not a blank, or 0 at the end.
func (p *arithParser) next() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n\f")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// unexpected returns the error for a next byte that fits no rule.
func (p *arithParser) unexpected() error {
	if c := p.next(); c == 0 || isDigit(c) || isWord(c) || strings.IndexByte("+-*/%()$", c) >= 0 {
		return errNoArithmetic
	}
	return errNotSupported
}

func (p *arithParser) sum() (int64, error) {
	v, err := p.product()
	for err == nil {
		c := p.next()
		if c != '+' && c != '-' {
			break
		}
		if p.rest = p.rest[1:]; p.rest != "" && p.rest[0] == c {
			return 0, errNoArithmetic // ++ and -- need a variable
		}
		var w int64
		if w, err = p.product(); c == '-' {
			w = -w
		}
		v += w
	}
	return v, err
}

func (p *arithParser) product() (int64, error) {
	v, err := p.factor()
	for err == nil {
		c := p.next()
		if c != '*' && c != '/' && c != '%' {
			break
		}
		if p.rest = p.rest[1:]; strings.HasPrefix(p.rest, "*") {
			return 0, errNotSupported // ** is a power
		}
		var w int64
		if w, err = p.factor(); err != nil {
			break
		}
		switch {
		case c == '*':
			v *= w
		case w == 0:
			return 0, errNoArithmetic
		case c == '/':
			v /= w
		default:
			v %= w
		}
	}
	return v, err
}

func (p *arithParser) factor() (int64, error) {
	switch c := p.next(); {
	case c == '-' || c == '+':
		if p.rest = p.rest[1:]; strings.HasPrefix(p.rest, string(c)) {
			return 0, errNoArithmetic
		}
		v, err := p.factor()
		if c == '-' {
			v = -v
		}
		return v, err
	case c == '(':
		p.rest = p.rest[1:]
		v, err := p.sum()
		if err == nil && p.next() != ')' {
			err = p.unexpected()
		}
		if err == nil {
			p.rest = p.rest[1:]
		}
		return v, err
	case c == '$':
		p.rest = p.rest[1:]
		return p.group()
	case isDigit(c):
		return p.number()
	case isWord(c):
		return p.word()
	}
	return 0, p.unexpected()
}

// group returns the value of $N. A missing group is 0.
func (p *arithParser) group() (int64, error) {
	digits := p.take(isDigit)
	if digits == "" {
		return 0, errNotSupported
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n == 0 || n > len(p.groups) {
		return 0, nil
	}
	return leadingNumber(p.groups[n-1]), nil
}

// number reads a literal, which is octal if it begins with 0.
func (p *arithParser) number() (int64, error) {
	digits := p.take(func(c byte) bool { return isDigit(c) || isWord(c) || c == '.' })
	base := 10
	if len(digits) > 1 && digits[0] == '0' {
		base = 8
	}
	v, err := strconv.ParseInt(digits, base, 64)
	switch {
	case err == nil:
		return v, nil
	case strings.Trim(digits, "0123456789") == "" && base == 8:
		return 0, errNoArithmetic // 08 is an error in Perl
	}
	return 0, errNotSupported
}

// word reads a name, which may be one of a function.
func (p *arithParser) word() (int64, error) {
	p.take(func(c byte) bool { return isWord(c) || isDigit(c) })
	switch c := p.next(); {
	case c != '+' && c != '-' && c != '*' && c != '/' && c != '%':
		return 0, errNotSupported
	default:
		// A name is a string to Perl. If there is no operand after the
		// operator it is no expression at all.
		p.rest = p.rest[1:]
		if _, err := p.factor(); err != nil {
			return 0, err
		}
		return 0, errNotSupported
	}
}

// take removes and returns the bytes up to the first that are not in set.
func (p *arithParser) take(in func(byte) bool) string {
	n := 0
	for n < len(p.rest) && in(p.rest[n]) {
		n++
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// leadingNumber is Perl's value of a string as an integer.
func leadingNumber(s string) int64 {
	s = strings.TrimLeft(s, " \t\r\n\f")
	end := 0
	if end < len(s) && (s[end] == '-' || s[end] == '+') {
		end++
	}
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	v, err := strconv.ParseInt(s[:end], 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		if s[0] == '-' {
			return math.MinInt64
		}
		return math.MaxInt64
	}
	return v
}
