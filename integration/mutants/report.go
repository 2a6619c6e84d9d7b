package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// killedMin is how many of a hundred mutants have to be killed.
const killedMin = 90

// report is what came of the mutants.
type report struct {
	folders    map[string]*count
	survivors  []mutant
	uncompiled []mutant
}

// count counts the mutants of a folder.
type count struct{ mutants, killed, endless int }

func newReport() *report { return &report{folders: map[string]*count{}} }

func (r *report) add(m mutant, got outcome) {
	if got == uncompiled {
		r.uncompiled = append(r.uncompiled, m)
		return
	}
	c := r.folders[m.folder()]
	if c == nil {
		c = &count{}
		r.folders[m.folder()] = c
	}
	c.mutants++
	switch got {
	case passed:
		r.survivors = append(r.survivors, m)
		return
	case endless:
		c.endless++
	}
	c.killed++
}

func (r *report) total() (all count) {
	for _, c := range r.folders {
		all.mutants += c.mutants
		all.killed += c.killed
		all.endless += c.endless
	}
	return all
}

// isGood reports whether enough mutants are killed, and all could be tried.
func (r *report) isGood() bool {
	all := r.total()
	return 100*all.killed >= killedMin*all.mutants && len(r.uncompiled) == 0
}

func (r *report) print(w io.Writer) {
	line := func(name string, c count) {
		fmt.Fprintf(w, "%-24s %8d %8d %12d %7d %%\n", name, c.mutants, c.killed, c.endless, 100*c.killed/max(c.mutants, 1))
	}
	fmt.Fprintf(w, "\n%-24s %8s %8s %12s\n", "folder", "mutants", "killed", "by time-out")
	for _, folder := range slices.Sorted(maps.Keys(r.folders)) {
		line(folder, *r.folders[folder])
	}
	line("all", r.total())
	for _, m := range r.survivors {
		fmt.Fprintf(w, "survived: %s (%s)\n", m, m.at)
	}
	for _, m := range r.uncompiled {
		fmt.Fprintf(w, "does not compile: %s (%s)\n", m, m.at)
	}
}
