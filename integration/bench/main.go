// Bench compares imgexportfs with what imgexport does, on images that are
// made from the Go distribution: a stateless one whose root image is GOROOT,
// packed, and a statelite one whose root tree is GOROOT.
//
//	go run ./integration/bench -binary build/imgexportfs [-runs 5] [-dir DIR] [-goroot DIR]
//
// imgexport's way is done with the programs that it calls itself: cp -r of
// the files to a staging directory, for a statelite image find | cpio | gzip
// of the tree, and tar czf. The other ways are cp of NAME.tgz from a mount
// that was made for this one run, and the command export. All ways are run in
// turn, and the report shows medians. Sources are in the page cache, for all
// of them alike.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench() (err error) {
	binary := flag.String("binary", "", "the `program` to measure")
	runs := flag.Int("runs", 5, "how often each way is run")
	dir := flag.String("dir", os.TempDir(), "the `directory` to work in; it needs about five times the size of GOROOT")
	goroot := flag.String("goroot", "", "the `tree` to make images from (default: what go env GOROOT says)")
	flag.Parse()
	if *binary == "" || *runs < 1 || flag.NArg() > 0 {
		flag.Usage()
		return fmt.Errorf("-binary is needed, -runs must be positive, and there are no operands")
	}
	program, err := filepath.Abs(*binary)
	if err != nil {
		return err
	}
	if *goroot == "" {
		said, err := output("go env GOROOT")
		if err != nil {
			return err
		}
		*goroot = strings.TrimSpace(string(said))
	}
	work, err := os.MkdirTemp(*dir, "imgexportfs-bench-")
	if err != nil {
		return err
	}
	defer func() {
		if rerr := os.RemoveAll(work); err == nil {
			err = rerr
		}
	}()
	fmt.Fprintf(os.Stderr, "packing %s into images below %s...\n", *goroot, work)
	site, err := buildInputs(work, *goroot)
	if err != nil {
		return err
	}
	results, err := measure(program, site, work, *runs)
	if err != nil {
		return err
	}
	return report(os.Stdout, results, *runs)
}
