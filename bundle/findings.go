package bundle

import (
	"fmt"
	"maps"
	"slices"
)

// findings are what a walk has found, in the order of the archive: a
// directory, and then all that is below it.
type findings struct {
	nodes  []treeNode
	lost   map[string]*lostAttribute // by name of the extended attribute
	pseudo []string                  // mount points of file systems that hold no files
}

// lostAttribute counts the files with an extended attribute.
type lostAttribute struct {
	files int
	first string
}

// newFindings has room for all that is below top.
func newFindings(top *found) *findings {
	return &findings{nodes: make([]treeNode, 0, top.count()), lost: map[string]*lostAttribute{}}
}

// count is the number of files that f and those below it are.
func (f *found) count() int {
	n := 1
	if f.below != nil {
		for i := range f.below.files {
			n += f.below.files[i].count()
		}
	}
	return n
}

// add takes f and what is below it, up to the first error.
func (a *findings) add(f *found) error {
	a.nodes = append(a.nodes, f.node)
	for _, attr := range f.attrs {
		a.lose(attr, f.node.name)
	}
	if f.below == nil {
		return nil
	}
	if f.below.pseudo {
		a.pseudo = append(a.pseudo, f.node.name)
	}
	for i := range f.below.files {
		if err := a.add(&f.below.files[i]); err != nil {
			return err
		}
	}
	return f.below.err
}

func (a *findings) lose(attr, name string) {
	l := a.lost[attr]
	if l == nil {
		l = &lostAttribute{first: name}
		a.lost[attr] = l
	}
	l.files++
}

// sentences say what an archive in newc format leaves out.
func (a *findings) sentences() []string {
	var out []string
	for _, name := range a.pseudo {
		out = append(out, fmt.Sprintf("%s is left empty: a file system of the running kernel is mounted on it", name))
	}
	for _, attr := range slices.Sorted(maps.Keys(a.lost)) {
		l := a.lost[attr]
		out = append(out, fmt.Sprintf("the extended attribute %s of %d files cannot be in rootimgtree.gz, and an imported image will lack it (first: %s)", attr, l.files, l.first))
	}
	return out
}
