package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/urfave/cli/v2"

	"imgexportfs/fs"
)

// mounting is the mount command with its flags.
type mounting struct {
	site    *siteFlags
	options *mountOptions
	refresh time.Duration
	verbose bool
	debug   bool
}

func mountCommand() *cli.Command {
	m := mounting{site: newSiteFlags(), options: newMountOptions()}
	return &cli.Command{
		Name:      "mount",
		Usage:     "show the images below a directory until SIGINT, SIGTERM or umount",
		ArgsUsage: "DIR",
		Flags: append(m.site.forCommand(),
			&cli.GenericFlag{Name: "o", Usage: "`OPTIONS` as of mount(8): allow_other, umask=NNN, passthrough, ro", Value: m.options},
			&cli.DurationFlag{Name: "refresh", Usage: "look for changes when what is known is older", Value: 2 * time.Second, Destination: &m.refresh},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "log more", DisableDefaultText: true, Destination: &m.verbose},
			&cli.BoolFlag{Name: "debug", Usage: "log every request of the kernel", DisableDefaultText: true, Destination: &m.debug},
		),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usageError("mount takes its flags and then one directory, but there are %d arguments %q; see %s mount --help",
					c.NArg(), c.Args().Slice(), programName)
			}
			if m.refresh < 0 {
				return usageError("--refresh %s: cannot be negative", m.refresh)
			}
			return m.run(c.Context, c.Args().First(), c.App.Writer, c.App.ErrWriter)
		},
	}
}

func (m mounting) run(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	journal := &fs.Journal{}
	log := m.log(stderr, journal)
	site, err := m.site.open(ctx, m.refresh, log)
	if err != nil {
		return err
	}
	defer func() { _ = site.Close() }()
	catalog, err := site.Catalog(ctx)
	if err != nil {
		return withCode(exitSite, err)
	}
	engine, err := m.site.engine(stderr)
	if err != nil {
		return err
	}
	defer engine.Close()
	spare()
	limitHeap(int64(m.site.memory), len(catalog.Images()))
	mounted, err := fs.Mount(ctx, dir, site, engine, fs.Options{
		Umask:       m.options.umask,
		AllowOther:  m.options.allowOther,
		Passthrough: m.options.passthrough,
		Refresh:     m.refresh,
		Debug:       m.debug,
		Log:         log,
		Journal:     journal,
	})
	if err != nil {
		return withCode(exitMount, err)
	}
	fmt.Fprintf(stdout, "%s of %s mounted on %s\n", counted(len(catalog.Images()), "image"), site.Root().Dir(), dir)
	return withCode(exitMount, untilUnmounted(ctx, mounted))
}

// log goes to stderr and to the journal, which is for what went wrong and not
// for debugging.
func (m mounting) log(stderr io.Writer, journal *fs.Journal) *slog.Logger {
	level := slog.LevelInfo
	if m.verbose || m.debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}),
		slog.NewTextHandler(journal, nil),
	))
}

// grace is how long files that are still open may keep an unmounted mount
// alive. The kernel ends their reads with an error when the program ends.
const grace = time.Second

// untilUnmounted serves until the directory is unmounted by somebody else or
// ctx ends. A signal is the way to end a mount, so it is no error.
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
		return err
	}
	select {
	case <-gone:
	case <-time.After(grace):
	}
	return nil
}
