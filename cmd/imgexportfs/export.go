package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"imgexportfs/bundle/source"
	"imgexportfs/xcat"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:            exportName,
		Usage:           "write the bundle of an image, as imgexport does, or of many",
		ArgsUsage:       "IMAGE [DEST] | IMAGE... DIR/ | --all DIR/",
		Flags:           exportFlags(), // for help, man page and completion; pflag reads them
		SkipFlagParsing: true,          // imgexport's options may follow operands
		HideHelp:        true,          // and -h is one of them
		Action: func(c *cli.Context) error {
			return runExport(c.Context, calledAs(os.Args), c.Args().Slice(), c.App.Writer, c.App.ErrWriter)
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

// exportable is a bundle to be written; *bundle.Bundle is one.
type exportable interface {
	Size(ctx context.Context) (int64, error)
	// progress is told how much of the unpacked bundle is written.
	WriteTo(ctx context.Context, w io.Writer, progress func(done int64)) error
}

// place is where a bundle is to go.
type place interface {
	// String is what the message "Exporting IMAGE to ..." names.
	String() string
	// writer checks that the bundle of the given name can go there.
	writer(name string) (bundleWriter, error)
}

// bundleWriter writes a bundle to its place, and returns its size when it is there,
// complete and on the disk. After an error nothing is left behind.
type bundleWriter func(ctx context.Context, b exportable, progress func(done int64)) (size int64, err error)

// runExport is the whole command under the name it was called by.
func runExport(ctx context.Context, name string, argv []string, stdout, stderr io.Writer) error {
	surviveBrokenPipes()
	if len(argv) == 0 { // as imgexport: no error line, but code 1
		fmt.Fprint(stdout, exportUsage(name))
		return &exitError{code: exitProblems}
	}
	own := name != imgexportName
	args, err := parseExportArgs(argv, own)
	if err != nil {
		return usageError("%w; see %s --help", err, name)
	}
	if err := refusePasswords(append(args.operands(), append(args.extras, args.node, args.remote)...)); err != nil {
		return err
	}
	if args.help {
		fmt.Fprint(stdout, exportUsage(name))
		return nil
	}
	if args.version {
		return printVersion(stdout)
	}
	if args, err = args.withFile(argv, own, stderr); err != nil {
		return err
	}
	var stream io.Writer // where the bundle goes instead of a file
	if own && args.toStdout() {
		stream, stdout = stdout, stderr
	}
	if err := args.checkDestination(stream); err != nil {
		return err
	}
	site, catalog, err := args.site.snapshot(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = site.Close() }()
	if own {
		args.takeGlob(catalog)
	}
	if first := append(args.images, args.image)[0]; args.looksLikeOption {
		if _, known := catalog.OSImage(first); !known {
			return usageError("%w", unknownOption(first, longOptions(args.options())))
		}
	}
	if args.isBulk() {
		return exportBulk(ctx, args, site, catalog, stdout, stderr)
	}
	dest, err := args.place(stream, stderr)
	if err != nil {
		return err
	}
	return exportOne(ctx, args, site, catalog, dest, stdout, stderr)
}

// toStdout reports whether the bundle of an image is to go to standard output.
func (a *exportArgs) toStdout() bool { return a.image != "" && a.destination == "-" && a.remote == "" }

// checkDestination finds what is wrong with the destination before the database is read.
func (a *exportArgs) checkDestination(stream io.Writer) error {
	if stream != nil && isTerminal(stream) {
		return usageError("a bundle is not for a terminal; redirect standard output to a file or a pipe")
	}
	if a.isBulk() {
		_, err := a.bulkDir()
		return err
	}
	return nil
}

// exportOne is what imgexport does.
func exportOne(ctx context.Context, args *exportArgs, site *xcat.Site, catalog *xcat.Catalog, dest place, stdout, stderr io.Writer) error {
	exported, err := catalog.Export(ctx, site.Root(), args.request(spelled(catalog, args.image), dest.String()))
	if err != nil {
		return withCode(exitSite, err)
	}
	if exported.Refused {
		printMessages(stdout, stderr, exported.Messages)
		if like := likeImages(catalog, args.image); like != "" && args.own {
			fmt.Fprintln(stderr, printable(stderr, like))
		}
		return &exitError{code: exitProblems}
	}
	if exported.Unreadable != nil {
		return withCode(exitWrite, fmt.Errorf("%w; try again", exported.Unreadable))
	}
	write, err := dest.writer(exported.Name)
	if err != nil {
		return withCode(exitWrite, err)
	}
	failed := printMessages(stdout, stderr, exported.Messages)
	if err := writeBundle(ctx, args, exported, write, stderr); err != nil {
		return withCode(exitWrite, advised(err))
	}
	fmt.Fprintln(stdout, "Done!")
	if failed {
		return &exitError{code: exitProblems}
	}
	return nil
}

// request asks for an image as the command line wants it, or else the configuration file.
func (a *exportArgs) request(image, destination string) xcat.Request {
	req := a.site.request(image)
	req.Node, req.Destination = cmp.Or(a.node, req.Node), destination
	if len(a.extras) > 0 {
		req.Extras = a.extras
	}
	return req
}

// place is where the command line wants the bundle: in stream, if that is not nil.
func (a *exportArgs) place(stream, stderr io.Writer) (place, error) {
	switch {
	case a.remote != "":
		return newRemotePlace(a.remote, a.destination, stderr)
	case stream != nil:
		return streamPlace{stream}, nil
	}
	return a.localPlace()
}

// localPlace is the destination on this host.
func (a *exportArgs) localPlace() (p localPlace, err error) {
	cwd, err := os.Getwd()
	if err != nil {
		return p, withCode(exitWrite, fmt.Errorf("the current directory: %w", err))
	}
	return newLocalPlace(cwd, a.destination)
}

// printMessages prints messages in their order, one at a time so that the order
// holds where both streams lead to one file: data to stdout, the rest to stderr. It
// reports whether imgexport would have ended with code 1.
func printMessages(stdout, stderr io.Writer, messages []xcat.Message) (failed bool) {
	for _, m := range messages {
		w := stderr
		if m.Level == xcat.Data {
			w = stdout
		}
		fmt.Fprintln(w, printable(w, m.String()))
		failed = failed || m.Level == xcat.Error
	}
	return failed
}

// writeBundle makes the bundle, writes it, and prints what -v asks for.
func writeBundle(ctx context.Context, args *exportArgs, exported *xcat.Export, write bundleWriter, stderr io.Writer) error {
	started := time.Now()
	engine, err := args.site.engine(stderr, nil)
	if err != nil {
		return err
	}
	defer closeEngine(ctx, engine)
	made, err := engine.NewBundle(ctx, exported.Name, exported.Members)
	if err != nil {
		return err
	}
	bar := newProgress(stderr, exported.Name, made.StreamSize())
	size, err := write(ctx, made, bar.written)
	bar.end()
	if err != nil || !args.verbose {
		return err
	}
	took := time.Since(started)
	rate := byteSize(float64(size) / max(took.Seconds(), 1e-9))
	fmt.Fprintf(stderr, "plan %x\n%d bytes (%s) in %s, %s/s\n",
		made.PlanHash(), size, byteSize(size), took.Round(time.Millisecond), rate)
	return nil
}

// advised adds what to do about a source that changed while it was read.
func advised(err error) error {
	if errors.Is(err, source.ErrChanged) {
		return fmt.Errorf("%w; try again", err)
	}
	return err
}
