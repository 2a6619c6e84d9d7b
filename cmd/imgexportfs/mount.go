package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"imgexportfs/fs"
)

// mountFlags are the flags of the mount command.
type mountFlags struct {
	site    *siteFlags
	options mountOptions
	refresh time.Duration
	verbose bool
	debug   bool
}

func mountCommand() *cli.Command {
	f := mountFlags{site: newSiteFlags(), options: mountOptions{umask: privateUmask}}
	return &cli.Command{
		Name:      "mount",
		Usage:     "show the images below a directory until SIGINT, SIGTERM or umount",
		ArgsUsage: "DIR",
		Flags: append(f.site.forCommand(),
			&cli.GenericFlag{Name: "o", Usage: "`OPTIONS` of mount(8): " + knownOptions, Value: &f.options},
			&cli.DurationFlag{Name: "refresh", Usage: "look for changes when the last look is older", Value: 2 * time.Second, Destination: &f.refresh},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "log more", DisableDefaultText: true, Destination: &f.verbose},
			&cli.BoolFlag{Name: "debug", Usage: "log every request of the kernel", DisableDefaultText: true, Destination: &f.debug},
		),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usageError("mount takes its flags and then one directory, but there are %d arguments %q; see %s mount --help",
					c.NArg(), c.Args().Slice(), programName)
			}
			if f.refresh < 0 {
				return usageError("--refresh %s: cannot be negative", f.refresh)
			}
			return runMount(c.Context, c.Args().First(), f, c.App.Writer, c.App.ErrWriter)
		},
	}
}

func runMount(ctx context.Context, dir string, f mountFlags, stdout, stderr io.Writer) error {
	surviveBrokenPipes()
	journal := &fs.Journal{}
	log := f.log(stderr, journal)
	site, err := f.site.open(ctx, f.refresh, log)
	if err != nil {
		return err
	}
	defer func() { _ = site.Close() }()
	catalog, err := site.Catalog(ctx)
	if err != nil {
		return withCode(exitSite, err)
	}
	engine, err := f.site.engine(stderr, log)
	if err != nil {
		return err
	}
	defer engine.Close()
	addProcessors()
	mounted, err := fs.Mount(ctx, dir, site, engine, fs.Options{
		Umask:       f.options.umask,
		AllowOther:  f.options.allowOther,
		Passthrough: f.options.passthrough,
		NonEmpty:    f.options.nonEmpty,
		Refresh:     f.refresh,
		Debug:       f.debug,
		Log:         log,
		Journal:     journal,
	})
	if err != nil {
		return withCode(exitMount, err)
	}
	fmt.Fprintf(stdout, "%s of %s mounted on %s\n", counted(len(catalog.Images()), "image"), site.Root().Dir(), dir)
	return withCode(exitMount, untilUnmounted(ctx, mounted))
}

// log goes to stderr and to the journal, which does not take debug lines.
func (f mountFlags) log(stderr io.Writer, journal *fs.Journal) *slog.Logger {
	level := slog.LevelInfo
	if f.verbose || f.debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}),
		slog.NewTextHandler(journal, nil),
	))
}

// grace is how long files that are still open may keep an unmounted mount alive.
// Then their reads end with an error.
const grace = time.Second

// untilUnmounted serves until the directory is unmounted or ctx ends. A signal is a
// normal way to end a mount, so it is no error, but the mount must be gone then.
func untilUnmounted(ctx context.Context, mounted *fs.Mounted) error {
	gone := make(chan struct{})
	go func() {
		mounted.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	if err := mounted.Unmount(); err != nil {
		return leftBehind{oneLine(err, mounted.End())} // readers must not wait for a program that ends
	}
	select {
	case <-gone:
		return nil
	case <-time.After(grace):
	}
	if err := mounted.End(); err != nil {
		return leftBehind{fmt.Errorf("%s is unmounted, but its readers may hang: %w", mounted.Dir(), err)}
	}
	return nil
}

// mountOptions is the value of -o, in the manner of mount(8).
type mountOptions struct {
	allowOther  bool
	passthrough bool
	nonEmpty    bool
	umask       uint32
}

const (
	knownOptions = "allow_other, umask=NNN, passthrough, nonempty and ro"
	// privateUmask shows files only to their owner, because root images hold shadow
	// files and host keys.
	privateUmask = 0o077
)

// Set reads one -o. There may be several; they add up.
func (o *mountOptions) Set(list string) error {
	if passwordAt([]string{list}, 0) >= 0 { // a part of which must not be shown either
		return errors.New("the location of a database is no option of mount(8); --cfgloc takes it")
	}
	for option := range strings.SplitSeq(list, ",") {
		name, value, hasValue := strings.Cut(option, "=")
		switch {
		case option == "ro": // always
		case option == "allow_other":
			o.allowOther = true
		case option == "passthrough":
			o.passthrough = true
		case option == "nonempty":
			o.nonEmpty = true
		case name == "umask" && hasValue:
			mask, err := strconv.ParseUint(value, 8, 32)
			if err != nil || mask > 0o777 {
				return fmt.Errorf("umask=%s: not an octal number of up to three digits, such as 022", value)
			}
			o.umask = uint32(mask)
		case option == "rw":
			return fmt.Errorf("option rw: the mount is always read-only")
		default:
			return fmt.Errorf("unknown option %q; there are %s", option, knownOptions)
		}
	}
	return nil
}

// String is what help shows as the default.
func (o *mountOptions) String() string {
	if o == nil {
		return ""
	}
	return fmt.Sprintf("umask=%03o", o.umask)
}

func umountCommand() *cli.Command {
	return &cli.Command{
		Name:      "umount",
		Usage:     "end mounts, also those whose server has died",
		ArgsUsage: "DIR...",
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usageError("no directory is named; see %s umount --help", programName)
			}
			var failed error
			for _, dir := range c.Args().Slice() {
				failed = oneLine(failed, fs.Unmount(dir))
			}
			return withCode(exitMount, failed)
		},
	}
}
