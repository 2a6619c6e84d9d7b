package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"

	"imgexportfs/xcat"
)

const (
	// similar is from which likeness on a name is suggested: 1 is equality. Names of
	// images share long beginnings, for which the measure has a weakness, so it is high.
	similar = 0.8
	// mostSuggested is how many names are suggested.
	mostSuggested = 3
)

// nearest returns the names that are most like the mistyped one, best first.
func nearest(typed string, names []string) []string {
	type likeName struct {
		name     string
		likeness float64
	}
	var like []likeName
	for _, name := range names {
		likeness := smetrics.JaroWinkler(strings.ToLower(typed), strings.ToLower(name), 0.7, 4)
		if likeness >= similar {
			like = append(like, likeName{name, likeness})
		}
	}
	slices.SortStableFunc(like, func(a, b likeName) int { return cmp.Compare(b.likeness, a.likeness) })
	var found []string
	for _, l := range like[:min(len(like), mostSuggested)] {
		found = append(found, l.name)
	}
	return found
}

// didYouMean is the end of a message about a mistyped name; "" if no name is like it.
func didYouMean(typed string, names []string) string {
	return suggestion(nearest(typed, names))
}

func suggestion(found []string) string {
	if len(found) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(found, ", ")
}

// likeImages asks whether images with names like this one were meant. It is "" for a
// name that an image has.
func likeImages(catalog *xcat.Catalog, name string) string {
	if _, known := catalog.OSImage(name); known {
		return ""
	}
	if like := didYouMean(name, catalog.Images()); like != "" {
		return "Did" + strings.TrimPrefix(like, "; did") + "?"
	}
	return ""
}

// likeFlags asks whether flags with names like an unknown one were meant. The library
// names that one in its error alone.
func likeFlags(c *cli.Context, err error) string {
	typed, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: ")
	if !unknown || c.Command == nil {
		return ""
	}
	var names []string
	for _, flag := range c.Command.VisibleFlags() {
		names = append(names, flag.Names()...)
	}
	found := nearest(strings.TrimLeft(typed, "-"), names)
	for i, name := range found {
		found[i] = dashed(name)
	}
	return suggestion(found)
}
