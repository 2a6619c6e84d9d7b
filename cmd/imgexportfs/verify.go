package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"imgexportfs/bundle/verify"
	"imgexportfs/xcat"
)

// verifyOptions are the flags of the verify command.
type verifyOptions struct {
	site        *siteFlags
	against     string
	quick, json bool
}

// The values of --against that are no image.
const (
	againstAuto = "auto" // the image that the bundle names
	againstNone = "none"
)

// standardInput is the operand that stands for it.
const standardInput = "-"

func verifyCommand() *cli.Command {
	opts := verifyOptions{site: newSiteFlags()}
	return &cli.Command{
		Name:      "verify",
		Usage:     "check that bundles are whole, and still what the site would export",
		ArgsUsage: "FILE...|DIR|-",
		Description: "DIR stands for every *.tgz in it, - for standard input. A line for each bundle: current, sound (not " +
			"compared with a site), outdated, damaged, no such image, not compared, or unreadable. A FILE.sha256 beside " +
			"a bundle is checked too. Exit code 1 unless all bundles are current or sound.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "against", Usage: "`IMAGE`: compare with this image of the site; auto: with the one that the bundle names; none: with nothing",
				DefaultText: "auto if there is a site", Destination: &opts.against},
			&cli.BoolFlag{Name: "quick", Usage: "compare the plan's hash in the first header, and read no further", DisableDefaultText: true, Destination: &opts.quick},
			&cli.BoolFlag{Name: "json", Usage: "print an array of objects", DisableDefaultText: true, Destination: &opts.json},
		}, opts.site.ofDatabase()...),
		Before: opts.site.takeFile,
		Action: func(c *cli.Context) error { return runVerify(c, opts) },
	}
}

func runVerify(c *cli.Context, opts verifyOptions) error {
	surviveBrokenPipes()
	switch {
	case !c.Args().Present():
		return usageError("verify takes its flags and then bundles or a directory of them, or - for standard input; see %s verify --help", programName)
	case opts.quick && opts.against == againstNone:
		return usageError("--quick compares with a site, and --against none with nothing; leave one of them out")
	}
	v := &verifier{quick: opts.quick, stderr: c.App.ErrWriter}
	var err error
	if v.site, err = opts.open(c.Context, c.App.ErrWriter); err != nil {
		return err
	}
	defer v.site.close()
	out := &verdicts{w: c.App.Writer, json: opts.json}
	for _, path := range bundlesOf(c.Args().Slice()) {
		verdict, err := v.inTime(c.Context, path)
		if err == nil {
			err = out.add(verdict)
		}
		if err != nil {
			return withCode(exitWrite, err)
		}
	}
	if err := out.end(); err != nil {
		return withCode(exitWrite, err)
	}
	if out.faulty {
		return &exitError{code: exitProblems}
	}
	return nil
}

// open opens the site to compare with; nil if there is none. A site that was not named
// need not be there.
func (o verifyOptions) open(ctx context.Context, stderr io.Writer) (*comparedSite, error) {
	if o.against == againstNone {
		return nil, nil
	}
	site, catalog, err := o.site.snapshot(ctx)
	switch {
	case err == nil:
		return newComparedSite(site, catalog, o.against), nil
	case o.against != "" || o.quick || o.site.location() != "" || o.site.root != "" || ctx.Err() != nil:
		return nil, err
	}
	fmt.Fprintf(stderr, "%s: there is no site to compare with, so only soundness is checked: %s\n", programName, printable(stderr, err.Error()))
	return nil, nil
}

// bundlesOf returns the paths of the bundles that the operands stand for: of a directory,
// the files in it, because a fifo would wait for a writer. What is wrong with an operand
// is found again when it is opened.
func bundlesOf(operands []string) (paths []string) {
	for _, operand := range operands {
		st, err := os.Stat(operand)
		if operand == standardInput || err != nil || !st.IsDir() {
			paths = append(paths, operand)
			continue
		}
		entries, _ := os.ReadDir(operand)
		found := false
		for _, e := range entries {
			path := filepath.Join(operand, e.Name())
			if !strings.HasSuffix(path, xcat.BundleSuffix) || e.Name()[0] == '.' {
				continue
			}
			if st, err := os.Stat(path); err != nil || st.Mode().IsRegular() {
				paths, found = append(paths, path), true
			}
		}
		if !found {
			paths = append(paths, operand)
		}
	}
	return paths
}

// verifier verifies one bundle after the other, each on all cores.
type verifier struct {
	site   *comparedSite // nil: no bundle is compared
	quick  bool
	stderr io.Writer // for the progress bar
}

// inTime verifies a bundle and returns as soon as ctx ends, whatever file the work waits for.
func (v *verifier) inTime(ctx context.Context, path string) (*verdict, error) {
	done := make(chan *verdict, 1)
	go func() { done <- v.verify(ctx, path) }()
	select {
	case verdict := <-done:
		return verdict, ctx.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// verify verifies one bundle.
func (v *verifier) verify(ctx context.Context, path string) *verdict {
	file, size, err := openBundle(path)
	if err != nil {
		return &verdict{File: path, Verdict: isUnreadable, Reason: err.Error()}
	}
	defer func() { _ = file.Close() }()
	sum, hasSum, sumErr := readChecksum(path)
	look := &look{site: v.site, quick: v.quick}
	progress := newProgress(v.stderr, filepath.Base(path), size)
	opts := verify.Options{Quick: v.quick, Hash: hasSum && !v.quick, Progress: progress.written}
	if v.site != nil {
		opts.Against = look.reference
	}
	result, err := verify.Read(ctx, file, opts)
	progress.end()
	if err != nil {
		return &verdict{File: path, Verdict: isUnreadable, Reason: reason(err).Error()}
	}
	if hasSum && !v.quick && result.Damage == nil {
		switch {
		case sumErr != nil:
			result.Damage = &verify.Damage{Offset: -1, Reason: sumErr.Error()}
		case sum != result.Sum:
			result.Damage = &verify.Damage{Offset: -1, Reason: "its SHA-256 is not that in " + filepath.Base(path) + checksumSuffix}
		}
	}
	return newVerdict(path, result, look)
}

// openBundle opens a bundle, which may be a fifo.
func openBundle(path string) (*os.File, int64, error) {
	if path == standardInput {
		return os.Stdin, 0, nil
	}
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, 0, reason(err)
	case st.IsDir():
		if _, err := os.ReadDir(path); err != nil {
			return nil, 0, reason(err)
		}
		return nil, 0, errors.New("there is no *" + xcat.BundleSuffix + " in this directory")
	case st.Mode().Type()&^fs.ModeNamedPipe != 0:
		return nil, 0, errors.New("is not a file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, reason(err)
	}
	return file, st.Size(), nil
}
