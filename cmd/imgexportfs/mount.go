package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"imgexportfs/fs"
)

// mountFlags are the flags of the mount command.
type mountFlags struct {
	site    *siteFlags
	list    optionList // -o
	options mountOptions
	refresh interval
	daemon  bool
	log     logFlags
	metrics metricsFlags
	fake    bool // do everything but mount
	sloppy  bool // ignore unknown options
}

func newMountFlags() *mountFlags {
	return &mountFlags{site: newSiteFlags(), refresh: interval(2 * time.Second), log: newLogFlags()}
}

func (f *mountFlags) forCommand() []cli.Flag {
	return slices.Concat(f.site.forCommand(), []cli.Flag{
		&cli.GenericFlag{Name: "o", Aliases: []string{optionsKey}, Usage: "`OPTIONS`: those of mount(8): " + knownOptions, Value: &f.list},
		&cli.GenericFlag{Name: "refresh", Usage: "`TIME`: look for changes when the last look is older than this, for example 5 or 2s", Value: &f.refresh},
		&cli.BoolFlag{Name: "daemon", Usage: "return when the mount answers, and serve it in the background; without --log-file, only .imgexportfs/log has what is logged", DisableDefaultText: true, Destination: &f.daemon},
		&cli.BoolFlag{Name: "fake", Hidden: true, Destination: &f.fake},
		&cli.BoolFlag{Name: "sloppy", Hidden: true, Destination: &f.sloppy},
	}, f.log.forCommand(), f.metrics.forCommand())
}

// takeFile reads the configuration file, which a line of fstab names as an option.
func (f *mountFlags) takeFile(c *cli.Context) error {
	for _, option := range f.list {
		if name, path, _ := strings.Cut(option, "="); name == configName {
			_ = f.site.config.Set(path) // any text is a path
		}
	}
	return f.site.takeFile(c)
}

func mountCommand() *cli.Command {
	f := newMountFlags()
	return &cli.Command{
		Name:      "mount",
		Usage:     "show the images below a directory until SIGINT, SIGTERM or umount",
		ArgsUsage: "DIR",
		Flags:     f.forCommand(),
		Before:    f.takeFile,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usageError("mount takes one directory, but there are %d arguments %q; see %s mount --help",
					c.NArg(), c.Args().Slice(), programName)
			}
			sloppy := f.sloppy || slices.Contains(f.list, "sloppy")
			if err := f.options.read(f.list, c.Command.Flags, c.Set, sloppy); err != nil {
				return usageError("%w; see %s mount --help", err, programName)
			}
			switch {
			case f.fake:
				return nil
			case f.daemon && !isDaemon:
				return startDaemon(c.Context, c.App.Metadata[startedWith].([]string), c.App.Writer, c.App.ErrWriter)
			}
			if err := f.metrics.check(); err != nil {
				return err
			}
			return runMount(c.Context, c.Args().First(), *f, c.App.Writer, c.App.ErrWriter)
		},
	}
}

func runMount(ctx context.Context, dir string, f mountFlags, stdout, stderr io.Writer) error {
	surviveBrokenPipes()
	life, err := newServing(f, stderr)
	if err != nil {
		return err
	}
	journal := &fs.Journal{}
	log := f.log.open(life.log, journal)
	watchers, err := f.metrics.listen(log)
	if err != nil {
		return withCode(exitMount, err)
	}
	defer watchers.close()
	site, err := f.site.open(ctx, time.Duration(f.refresh), log)
	if err != nil {
		return err
	}
	defer func() { _ = site.Close() }()
	catalog, err := site.Catalog(ctx)
	if err != nil {
		return withCode(exitSite, err)
	}
	engine, err := f.site.engine(life.log, log)
	if err != nil {
		return err
	}
	defer engine.Close()
	addProcessors()
	options := fs.Options{
		Source:  f.site.shown(site),
		Request: f.site.request,
		Refresh: time.Duration(f.refresh),
		Debug:   f.log.debug,
		Log:     log,
		Journal: journal,
		Version: programVersion(),
	}
	f.options.addTo(&options)
	mounted, err := fs.Mount(ctx, dir, site, engine, options)
	if err != nil {
		return withCode(exitMount, err)
	}
	watchers.serve(mounted.Metrics())
	text := fmt.Sprintf("%s of %s mounted on %s", counted(len(catalog.Images()), "image"), site.Root().Dir(), dir)
	fmt.Fprintln(stdout, printable(stdout, text))
	if isDaemon {
		if err := leaveCaller(life.file); err != nil {
			return withCode(exitMount, oneLine(err, mounted.Unmount()))
		}
	}
	if f.options.readWrite { // mount(8) says rw when fstab says nothing
		log.Info("mounted read-only; the option rw is ignored", "directory", dir)
	}
	defer life.begin(ctx, site, mounted.Dir(), log)()
	return withCode(exitMount, untilUnmounted(ctx, mounted, life.notify))
}

// grace is how long files that are still open may keep an unmounted mount alive.
// Then their reads end with an error.
const grace = time.Second

// untilUnmounted serves until the directory is unmounted or ctx ends. A signal is a
// normal way to end a mount, so it is no error, but the mount must be gone then.
func untilUnmounted(ctx context.Context, mounted *fs.Mounted, notify notifier) error {
	gone := make(chan struct{})
	go func() {
		mounted.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-ctx.Done():
	}
	notify.send("STOPPING=1")
	if ctx.Err() == nil {
		return nil
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
