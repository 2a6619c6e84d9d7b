package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"imgexportfs/integration/xcatsite"
)

// figures are the medians for one image.
type figures struct {
	image                   string
	imgexport, copy, export run
	again                   run // copy, by a server that finds the sizes remembered
	stat, first             time.Duration
}

// samples are what was measured for one image, a value per run.
type samples struct {
	imgexport, copy, export, again []run
	stat, first                    []time.Duration
}

// measure runs all ways in turn, runs times each, on both images.
func measure(program string, site *xcatsite.Site, work string, runs int) ([]figures, error) {
	var all []figures
	for _, image := range []string{stateless, statelite} {
		cache := filepath.Join(work, "cache-"+image)
		if _, err := byCopy(program, site, image, work, cache); err != nil { // fills the cache
			return nil, err
		}
		var s samples
		for i := range runs {
			fmt.Fprintf(os.Stderr, "%s, run %d of %d\n", image, i+1, runs)
			if err := s.takeTurn(program, site, image, work, cache); err != nil {
				return nil, err
			}
		}
		all = append(all, figures{
			image: image, imgexport: medianRun(s.imgexport), copy: medianRun(s.copy), export: medianRun(s.export),
			again: medianRun(s.again), stat: median(s.stat), first: median(s.first),
		})
	}
	return all, nil
}

// takeTurn runs every way once.
func (s *samples) takeTurn(program string, site *xcatsite.Site, image, work, cache string) error {
	for _, way := range []struct {
		to *[]run
		do func() (run, error)
	}{
		{&s.imgexport, func() (run, error) { return asImgexport(site, image, work) }},
		{&s.copy, func() (run, error) { return byCopy(program, site, image, work, "") }},
		{&s.export, func() (run, error) { return byExport(program, site, image, work) }},
		{&s.again, func() (run, error) { return byCopy(program, site, image, work, cache) }},
	} {
		r, err := way.do()
		if err != nil {
			return err
		}
		*way.to = append(*way.to, r)
	}
	last := len(s.copy) - 1
	if s.copy[last].size != s.export[last].size || s.copy[last].size != s.again[last].size {
		return fmt.Errorf("%s: bundles of %d, %d and %d bytes", image, s.copy[last].size, s.export[last].size, s.again[last].size)
	}
	stat, first, err := firstLook(program, site, image, work)
	s.stat, s.first = append(s.stat, stat), append(s.first, first)
	return err
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// medianRun is the run of median time, with the largest peak of all.
func medianRun(rs []run) run {
	slices.SortFunc(rs, func(a, b run) int { return int(a.took - b.took) })
	middle := rs[len(rs)/2]
	for _, r := range rs {
		middle.peak = max(middle.peak, r.peak)
	}
	return middle
}

// report writes the figures as a Markdown table.
func report(w io.Writer, all []figures, runs int) error {
	lines := []string{
		fmt.Sprintf("Medians of %d runs on %d cores, %s, sources in the page cache, no size remembered but where it says so.\n",
			runs, runtime.NumCPU(), runtime.Version()),
		"| | " + column(all, func(f figures) string { return f.image }),
		"|---|" + strings.Repeat("---|", len(all)),
		"| imgexport's way | " + column(all, func(f figures) string { return seconds(f.imgexport) }),
		"| `cp` from a fresh mount | " + column(all, func(f figures) string { return faster(f.imgexport, f.copy) }),
		"| ... where the sizes are remembered | " + column(all, func(f figures) string { return faster(f.imgexport, f.again) }),
		"| `imgexportfs export`, synced to the disk | " + column(all, func(f figures) string { return faster(f.imgexport, f.export) }),
		"| first `stat` of a bundle on a fresh mount | " + column(all, func(f figures) string { return millis(f.stat) }),
		"| first byte after that | " + column(all, func(f figures) string { return millis(f.first) }),
		"| most memory of the server during `cp` | " + column(all, func(f figures) string { return mebibytes(f.copy.peak) }),
		"| size of imgexport's bundle | " + column(all, func(f figures) string { return mebibytes(f.imgexport.size) }),
		"| size of ours | " + column(all, func(f figures) string { return mebibytes(f.copy.size) }),
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// column is one cell for every image.
func column(all []figures, cell func(figures) string) string {
	var b strings.Builder
	for _, f := range all {
		b.WriteString(cell(f) + " | ")
	}
	return strings.TrimSuffix(b.String(), " ")
}

func seconds(r run) string { return fmt.Sprintf("%.2f s", r.took.Seconds()) }

func faster(old, r run) string {
	return fmt.Sprintf("%.2f s, %.1f times faster", r.took.Seconds(), old.took.Seconds()/r.took.Seconds())
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
