package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
	"imgexportfs/xcat"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:            "export",
		Usage:           "write the bundle of one image, as imgexport does",
		ArgsUsage:       "IMAGE [DEST]",
		SkipFlagParsing: true, // imgexport's options may follow operands
		HideHelp:        true, // and -h is one of them
		Action: func(c *cli.Context) error {
			return export(c.Context, calledAs(os.Args), c.Args().Slice(), c.App.Writer, c.App.ErrWriter)
		},
	}
}

// calledAs is the name of the export command in its own help.
func calledAs(args []string) string {
	if len(args) > 0 && filepath.Base(args[0]) == imgexportName {
		return imgexportName
	}
	return programName + " export"
}

// export is the whole command under the name it was called by.
func export(ctx context.Context, name string, argv []string, stdout, stderr io.Writer) error {
	if len(argv) == 0 { // as imgexport: no error line, but code 1
		fmt.Fprint(stdout, exportUsage(name))
		return &exitError{code: exitProblems}
	}
	args, err := parseExportArgs(argv)
	if err != nil {
		return usageError("%w; see %s --help", err, name)
	}
	if args.help {
		fmt.Fprint(stdout, exportUsage(name))
		return nil
	}
	return (&exporter{exportArgs: args, stdout: stdout, stderr: stderr}).run(ctx)
}

// exporter is one export.
type exporter struct {
	*exportArgs
	stdout, stderr io.Writer
}

func (x *exporter) run(ctx context.Context) error {
	site, catalog, err := x.site.snapshot(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = site.Close() }()
	if _, known := catalog.OSImage(x.image); !known && x.looksLikeOption {
		return usageError("%w", unknownOption(x.image))
	}
	dest, err := x.place()
	if err != nil {
		return err
	}
	exported, err := catalog.Export(ctx, site.Root(), xcat.Request{
		Image:       x.image,
		Node:        x.node,
		Extras:      x.extras,
		Destination: dest.String(),
	})
	if err != nil {
		return withCode(exitSite, err)
	}
	if exported.Refused {
		printMessages(x.stdout, x.stderr, exported.Messages)
		return &exitError{code: exitProblems}
	}
	to, err := dest.target(exported.Name)
	if err != nil {
		return withCode(exitWrite, err)
	}
	printMessages(x.stdout, x.stderr, exported.Messages)
	if err := x.write(ctx, exported, to); err != nil {
		return withCode(exitWrite, advised(err))
	}
	fmt.Fprintln(x.stdout, "Done!")
	if hasError(exported.Messages) {
		return &exitError{code: exitProblems}
	}
	return nil
}

// advised adds what to do about a source that changed while it was read.
func advised(err error) error {
	if errors.Is(err, source.ErrChanged) {
		return fmt.Errorf("%w; export it again", err)
	}
	return err
}

// place is where the command line wants the bundle.
func (x *exporter) place() (place, error) {
	if x.remote != "" {
		return newRemotePlace(x.remote, x.destination, x.stderr)
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, withCode(exitWrite, fmt.Errorf("the current directory: %w", err))
	}
	return newDestination(cwd, x.destination)
}

// write makes the bundle and puts it where it belongs.
func (x *exporter) write(ctx context.Context, exported *xcat.Export, to target) error {
	started := time.Now()
	engine, err := x.site.engine(x.stderr)
	if err != nil {
		return err
	}
	defer engine.Close()
	made, err := engine.NewBundle(ctx, exported.Name, exported.Members)
	if err != nil {
		return err
	}
	size, err := x.sizeInAdvance(ctx, made)
	if err != nil {
		return err
	}
	shown := newProgress(x.stderr, made.StreamSize())
	size, err = to.write(ctx, made, size, shown.advance)
	shown.end()
	if err == nil && x.verbose {
		x.summarize(made, size, time.Since(started))
	}
	return err
}

// sizeInAdvance is the bundle's size where somebody needs it before there is
// a bundle: the other host. To find out what does not fit into memory takes as
// long as to write it, so nobody else waits for that.
func (x *exporter) sizeInAdvance(ctx context.Context, made exportable) (int64, error) {
	if x.remote == "" {
		return unknownSize, nil
	}
	return made.Size(ctx)
}

// summarize says what -v asks for.
func (x *exporter) summarize(made *bundle.Bundle, size int64, took time.Duration) {
	plan := made.PlanHash()
	rate := byteSize(float64(size) / max(took.Seconds(), 1e-9))
	fmt.Fprintf(x.stderr, "plan %s\n%d bytes (%s) in %s, %s/s\n",
		hex.EncodeToString(plan[:]), size, byteSize(size), took.Round(time.Millisecond), rate)
}
