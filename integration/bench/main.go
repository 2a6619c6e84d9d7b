// Bench compares imgexportfs with what people would use instead, on images
// that are made from the Go distribution, and prints a table in Markdown.
//
//	go run ./integration/bench -binary ./imgexportfs [-runs 5] [-dir DIR] [-goroot DIR] [-tree DIR] [-only LIST] [-quick]
//
// imgexport's way is done with the programs that it calls itself: cp -r of
// the files to a staging directory, for a statelite image find | cpio | gzip
// of the tree, and tar czf. The other peers are tar | pigz, tar | zstd and
// plain cp and dd of the same bytes. In each run every way has its turn, and
// the table shows medians. Sources are in the page cache for all of them
// alike, and every image is on a site of its own, so that a mount has nothing
// else to do. Unless the table says otherwise a mount is new and has no
// remembered sizes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the program.
type bench struct {
	program   string // to measure
	goroot    string
	largeTree string // what the image is made from whose tree does not fit into memory
	work      string // a directory for everything that is written
	runs      int    // how often each way is run
	scale     scale
	bytes     map[string]int64 // how large came out what a way made
	table     table
}

// A chapter measures one kind of image and adds its lines to the table.
type chapter struct {
	name    string
	measure func(*bench) error
}

var chapters = []chapter{
	{"stateless", (*bench).stateless},
	{"statelite", (*bench).statelite},
	{"large", (*bench).large},
	{"raw", (*bench).raw},
	{"small", (*bench).small},
	{"many", (*bench).many},
	{"files", (*bench).files},
	{"memory", (*bench).memory},
}

// run reads the command line, measures, and prints the table.
func run(args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	binary := flags.String("binary", "", "the `program` to measure")
	runs := flags.Int("runs", 5, "how often each way is run")
	dir := flags.String("dir", os.TempDir(), "the `directory` to work in; it needs 5 GB")
	goroot := flags.String("goroot", "", "the `tree` to make images from (default: what go env GOROOT says)")
	large := flags.String("tree", "/usr", "the `directory` to make the large image from; up to 1.5 GB of it are taken")
	only := flags.String("only", "", "the `chapters` to measure, a comma list (default: all)")
	quick := flags.Bool("quick", false, "once, and with small images: shows that everything works, and no speed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *binary == "" || *runs < 1 || flags.NArg() > 0 {
		return errors.New("-binary is needed, -runs must be positive, and there are no operands")
	}
	b := &bench{goroot: *goroot, largeTree: *large, runs: *runs, scale: full, bytes: map[string]int64{}}
	if *quick {
		b.runs, b.scale = 1, tiny
	}
	if b.program, err = filepath.Abs(*binary); err != nil {
		return err
	}
	if b.goroot == "" {
		said, err := output("go env GOROOT")
		if err != nil {
			return err
		}
		b.goroot = strings.TrimSpace(string(said))
	}
	if b.work, err = os.MkdirTemp(*dir, "imgexportfs-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	if err := b.measure(*only); err != nil {
		return err
	}
	return b.table.print(stdout, b.runs)
}

// measure goes through the chapters asked for, "" for all.
func (b *bench) measure(only string) error {
	wanted := strings.Split(only, ",")
	for _, c := range chapters {
		if only != "" && !slices.Contains(wanted, c.name) {
			continue
		}
		if err := c.measure(b); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if err := b.tidy(); err != nil {
			return err
		}
	}
	return nil
}

// tidy removes what a chapter has written, and waits until the disk has
// nothing left to do.
func (b *bench) tidy() error {
	entries, err := os.ReadDir(b.work)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(b.work, e.Name())); err != nil {
			return err
		}
	}
	_, err = output("sync")
	return err
}
