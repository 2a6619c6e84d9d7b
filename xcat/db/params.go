package db

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// params are the parameters of a database server in a cfgloc, by name. Perl's DBI takes
// them as "dbname=xcatdb;host=mn". Values may be secrets, so no error shows one.
type params map[string]string

// parseMySQLParams reads parameters as DBD::mysql does: separated by
// semicolons or colons, except colons in an IPv6 address in brackets. Values without
// a name are the database, the host and the port, in this order.
func parseMySQLParams(text string) params {
	p := params{}
	unnamed := []string{"dbname", "host", "port"}
	for len(text) > 0 {
		end := strings.IndexAny(text, ";:")
		if open := strings.IndexByte(text, '['); open >= 0 && open < end {
			if closed := strings.IndexByte(text[open:], ']'); closed >= 0 {
				end = open + closed
				if next := strings.IndexAny(text[end:], ";:"); next >= 0 {
					end += next
				} else {
					end = -1
				}
			}
		}
		part, rest := text, ""
		if end >= 0 {
			part, rest = text[:end], text[end+1:]
		}
		text = rest
		part = strings.NewReplacer("[", "", "]", "").Replace(part)
		if name, value, named := strings.Cut(part, "="); named {
			p[strings.TrimSpace(name)] = strings.TrimSpace(value)
		} else if i := slices.IndexFunc(unnamed, func(name string) bool { _, known := p[name]; return !known }); part != "" && i >= 0 {
			p[unnamed[i]] = part
		}
	}
	return p
}

// parsePgParams reads parameters as DBD::Pg and libpq do: separated by
// semicolons or blanks, a value perhaps between apostrophes, in which a
// backslash stands before an apostrophe or a backslash.
func parsePgParams(text string) (params, error) {
	const separators = "; \t"
	p := params{}
	for {
		text = strings.TrimLeft(text, separators)
		if text == "" {
			return p, nil
		}
		name, rest, named := strings.Cut(text, "=")
		name = strings.TrimSpace(name)
		if !named || strings.ContainsAny(name, separators) {
			return nil, fmt.Errorf("parameter %d is not NAME=VALUE", len(p)+1)
		}
		if !strings.HasPrefix(rest, "'") {
			end := strings.IndexAny(rest, separators)
			if end < 0 {
				end = len(rest)
			}
			p[name], text = rest[:end], rest[end:]
			continue
		}
		value, after, closed := cutQuoted(rest[1:])
		if !closed {
			return nil, fmt.Errorf("the value of %s has no closing apostrophe", name)
		}
		p[name], text = value, after
	}
}

// cutQuoted returns the value before the closing apostrophe and what follows.
func cutQuoted(text string) (value, after string, closed bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\'':
			return b.String(), text[i+1:], true
		case text[i] == '\\' && i+1 < len(text):
			i++
		}
		b.WriteByte(text[i])
	}
	return "", "", false
}

// take removes the parameter of one of the names and returns its value, ""
// if there is none.
func (p params) take(names ...string) string {
	value := ""
	for _, name := range names {
		if v, given := p[name]; given {
			value = v
			delete(p, name)
		}
	}
	return value
}

// takeBool is take for a switch: 1 and 0, as DBI has them.
func (p params) takeBool(name string) (bool, error) {
	switch p.take(name) {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	}
	return false, fmt.Errorf("%s must be 0 or 1", name)
}

// takeSeconds is take for a number of seconds from 1 to 3600; without one it
// is the default.
func (p params) takeSeconds(name string, otherwise int) (int, error) {
	text := p.take(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 3600 {
		return 0, fmt.Errorf("%s must be a number of seconds from 1 to 3600", name)
	}
	return n, nil
}

// takePort is take for a TCP port; 0 if none is given.
func (p params) takePort() (uint16, error) {
	text := p.take("port")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("port must be a number from 1 to 65535")
	}
	return uint16(n), nil
}

// refuseRest reports a parameter that nothing has taken, unless it is one of ignored.
func (p params) refuseRest(ignored ...string) error {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if !slices.Contains(ignored, name) {
			return fmt.Errorf("parameter %q is not supported; see docs/databases.md", name)
		}
	}
	return nil
}
