package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "try the mutants whose `TEXT` holds this: a list, a file, a word of the phrase")
	flag.Parse()
	if err := run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run tries all mutants that only does not leave out.
func run(only string) error {
	root, err := projectRoot()
	if err != nil {
		return err
	}
	list, err := readLists(filepath.Join(root, "integration/mutants/lists"))
	if err != nil {
		return err
	}
	texts := map[string][]byte{}
	var chosen []mutant
	for _, m := range list {
		if texts[m.at], err = m.changed(root); err != nil {
			return err
		}
		if strings.Contains(m.at+" "+m.String(), only) {
			chosen = append(chosen, m)
		}
	}
	temp, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	r := runner{root: root, temp: temp}
	limits, err := r.limits(chosen, say)
	if err != nil {
		return err
	}
	report := newReport()
	for _, m := range chosen {
		got, err := r.try(m, texts[m.at], limits)
		if err != nil {
			return err
		}
		say("%-10s %6.1fs  %s %s", verdict(got.outcome), got.took.Seconds(), m, got.by)
		if report.add(m, got.outcome); got.outcome == uncompiled {
			say("%s", got.output)
		}
	}
	if report.print(os.Stdout); !report.isGood() {
		return fmt.Errorf("fewer than %d %% of the mutants are killed, or some do not compile", killedMin)
	}
	return nil
}

// try runs the tests of a mutant until some of them kill it.
func (r runner) try(m mutant, text []byte, limits map[tests]time.Duration) (got result, err error) {
	took := time.Duration(0)
	for _, t := range m.tests {
		if got, err = r.with(t, m.file, text, limits[t]); err != nil {
			return got, err
		}
		if took += got.took; got.outcome != passed {
			break
		}
	}
	got.took = took
	return got, nil
}

// verdict is what the outcome of its tests says of a mutant.
func verdict(o outcome) string {
	return map[outcome]string{passed: "SURVIVED", failed: "killed", endless: "timed out", uncompiled: "BROKEN"}[o]
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// projectRoot is the folder with go.mod above the present one.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("there is no go.mod here or above")
		}
	}
	return "", err
}
