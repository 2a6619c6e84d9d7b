package source

import (
	"cmp"
	"fmt"
	"slices"
)

// Findings say what a copy of a tree's nodes lacks, one sentence each.
type Findings []string

// collected gathers what a walk has found, in order.
type collected struct {
	nodes []Node
	empty []string // a sentence for each directory that is left empty
	lost  []lost   // in the order of their first files
}

// lost counts the files with one extended attribute.
type lost struct {
	attr  string
	files int
	first string
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
func (c *collected) add(f *found) error {
	c.nodes = append(c.nodes, f.node)
	for _, attr := range f.attrs {
		c.lose(attr, f.node.Name)
	}
	if f.below == nil {
		return nil
	}
	if f.below.left != "" {
		c.empty = append(c.empty, f.node.Name+" is left empty: "+f.below.left)
	}
	for i := range f.below.files {
		if err := c.add(&f.below.files[i]); err != nil {
			return err
		}
	}
	return f.below.err
}

func (c *collected) lose(attr, name string) {
	i := slices.IndexFunc(c.lost, func(l lost) bool { return l.attr == attr })
	if i < 0 {
		i = len(c.lost)
		c.lost = append(c.lost, lost{attr: attr, first: name})
	}
	c.lost[i].files++
}

func (c *collected) findings() Findings {
	out := Findings(c.empty)
	slices.SortFunc(c.lost, func(a, b lost) int { return cmp.Compare(a.attr, b.attr) })
	for _, l := range c.lost {
		out = append(out, fmt.Sprintf("the extended attribute %s of %d files cannot be in rootimgtree.gz, and an imported image will lack it (first: %s)", l.attr, l.files, l.first))
	}
	return out
}
