package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// readLists reads all lists of a directory. Mutants whose tests take longest, those of the
// whole program, come last.
func readLists(dir string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		list, err := parseList(filepath.Base(file), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no list", dir)
	}
	slices.SortStableFunc(all, func(a, b mutant) int { return a.effort() - b.effort() })
	return all, nil
}

// effort is 1 if the whole program is tested, else 0.
func (m mutant) effort() int {
	if slices.ContainsFunc(m.tests, func(t tests) bool { return t.pkg == "./integration" }) {
		return 1
	}
	return 0
}

// parseList reads one list.
func parseList(name, text string) ([]mutant, error) {
	var list []mutant
	var usual mutant // has the tests of those that name none
	seen := map[string]string{}
	end := func() error {
		if len(list) == 0 {
			return nil
		}
		m := &list[len(list)-1]
		if err := m.complete(usual.tests); err != nil {
			return fmt.Errorf("%s: %w", m.at, err)
		}
		if other, twice := seen[m.String()]; twice {
			return fmt.Errorf("%s: %q is in the list at %s too", m.at, m, other)
		}
		seen[m.String()] = m.at
		return nil
	}
	for i, line := range strings.Split(text, "\n") {
		at := fmt.Sprintf("%s:%d", name, i+1)
		switch {
		case line == "" || line[0] == '#':
		case len(list) == 0 && strings.HasPrefix(line, "tests "):
			usual.take(line)
		case line[0] == '-' || line[0] == '+' || strings.HasPrefix(line, "tests "):
			if len(list) == 0 {
				return nil, fmt.Errorf("%s: no mutant has begun", at)
			}
			list[len(list)-1].take(line)
		default:
			if err := end(); err != nil {
				return nil, err
			}
			file, breaks, ok := strings.Cut(line, ": ")
			if !ok {
				return nil, fmt.Errorf("%s: a mutant begins with FILE: WHAT IT BREAKS", at)
			}
			list = append(list, mutant{file: file, breaks: breaks, at: at})
		}
	}
	return list, end()
}

// take takes a line that belongs to the mutant.
func (m *mutant) take(line string) {
	switch line[0] {
	case '-':
		m.before += strings.TrimPrefix(line[1:], " ") + "\n"
	case '+':
		m.after += strings.TrimPrefix(line[1:], " ") + "\n"
	default:
		m.tests = append(m.tests, parseTests(strings.TrimPrefix(line, "tests ")))
	}
}

// complete says what the mutant lacks. The usual tests are those of a mutant that names
// none, and those of its folder if there are no usual ones.
func (m *mutant) complete(usual []tests) error {
	m.before, m.after = strings.TrimSuffix(m.before, "\n"), strings.TrimSuffix(m.after, "\n")
	if len(m.tests) == 0 {
		m.tests = usual
	}
	if len(m.tests) == 0 {
		m.tests = []tests{{pkg: "./" + m.folder()}}
	}
	switch {
	case m.before == "":
		return errors.New("there is no old text")
	case m.before == m.after:
		return errors.New("nothing changes")
	}
	return nil
}
