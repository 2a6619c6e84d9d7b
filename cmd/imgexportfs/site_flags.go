package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"
	"github.com/urfave/cli/v2"

	"imgexportfs/bundle"
	"imgexportfs/cmd/imgexportfs/config"
	"imgexportfs/xcat"
)

// siteFlags are the flags of every command that reads a site.
type siteFlags struct {
	config      configPath
	file        *config.File // nil if there is none
	taken       []string     // the flags that takeFile has set
	cfgloc      string
	root        string
	memory      byteSize
	cacheDir    string
	cacheSize   cacheSize
	compression string
	level       int
}

const (
	cfglocUsage      = "`SPEC`: where the database is, as in xCAT's cfgloc file and XCATCFG, or the name of such a file"
	cfglocDefault    = "XCATCFG, /etc/xcat/cfgloc, SQLite:/etc/xcat"
	rootUsage        = "`DIR`: prefix of all site paths, where a management node's disk is mounted"
	memoryUsage      = "`SIZE`: total memory for building bundles, for example 256MiB"
	cacheDirUsage    = "`DIR`: directory for cached sizes, checksums and compressed segments; mounts and hosts may share it; \"\" for none"
	cacheSizeUsage   = "`SIZE`: how much of the disk cached segments may take, never more than half of what is free; 0 for none"
	cacheDirEnv      = "IMGEXPORTFS_CACHE_DIR"
	compressionUsage = "`HOW`: auto deflates what is not compressed already, store nothing, deflate everything"
	levelUsage       = "`N`: level of deflate, from 1 (fast) to 9 (small)"
	codecHint        = "; hosts that serve the same bundles need the same"
)

func newSiteFlags() *siteFlags {
	return &siteFlags{
		memory:      bundle.DefaultMemory,
		cacheDir:    defaultCacheDir(),
		cacheSize:   bundle.DefaultCacheSize,
		compression: string(bundle.Auto),
		level:       bundle.DefaultLevel,
	}
}

// defaultCacheDir is root's cache directory, or that of the user (XDG Base
// Directory Specification).
func defaultCacheDir() string {
	if dir, set := os.LookupEnv(cacheDirEnv); set {
		return dir
	}
	if os.Geteuid() == 0 {
		return "/var/cache/" + programName
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, programName)
}

// forCommand returns the flags of a command that makes bundles, or sizes them.
func (f *siteFlags) forCommand() []cli.Flag {
	return slices.Concat(f.ofDatabase(), f.ofEngine(), f.ofCodec())
}

// ofDatabase returns the flags of a command that only reads the site.
func (f *siteFlags) ofDatabase() []cli.Flag {
	return []cli.Flag{
		f.configFlag(),
		&cli.StringFlag{Name: "cfgloc", Usage: cfglocUsage, DefaultText: cfglocDefault, Destination: &f.cfgloc},
		&cli.StringFlag{Name: "root", Usage: rootUsage, DefaultText: "/", Destination: &f.root},
	}
}

// ofEngine returns the flags of a command that plans bundles.
func (f *siteFlags) ofEngine() []cli.Flag {
	return []cli.Flag{
		&cli.GenericFlag{Name: "memory", Usage: memoryUsage, Value: &f.memory},
		&cli.StringFlag{Name: "cache-dir", Usage: cacheDirUsage, Value: f.cacheDir, Destination: &f.cacheDir},
		&cli.GenericFlag{Name: "cache-size", Usage: cacheSizeUsage, Value: &f.cacheSize},
	}
}

// ofCodec returns the flags that say what the bytes of bundles are.
func (f *siteFlags) ofCodec() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "compression", Usage: compressionUsage + codecHint, Value: f.compression, Destination: &f.compression},
		&cli.IntFlag{Name: "level", Usage: levelUsage + codecHint, Value: f.level, Destination: &f.level},
	}
}

// configFlag is --config.
func (f *siteFlags) configFlag() cli.Flag {
	return &cli.GenericFlag{Name: configName, Usage: "`FILE`: " + configUsage, DefaultText: defaultFile, Value: &f.config}
}

// addTo adds the flags to a set of pflag, which reads the export command.
func (f *siteFlags) addTo(set *pflag.FlagSet) {
	set.Var(&f.config, configName, "")
	set.StringVar(&f.cfgloc, "cfgloc", f.cfgloc, "")
	set.StringVar(&f.root, "root", f.root, "")
	set.Var(&f.memory, "memory", "")
	set.StringVar(&f.cacheDir, "cache-dir", f.cacheDir, "")
	set.Var(&f.cacheSize, "cache-size", "")
	set.StringVar(&f.compression, "compression", f.compression, "")
	set.IntVar(&f.level, "level", f.level, "")
}

// open opens the site that the flags name. Its rows are read again when they are
// older than refresh. log is told when the database is lost; it may be nil.
func (f *siteFlags) open(ctx context.Context, refresh time.Duration, log *slog.Logger) (*xcat.Site, error) {
	site, err := xcat.OpenSite(ctx, xcat.Config{Cfgloc: f.location(), Root: f.root, Getenv: getenv, Refresh: refresh, Log: log})
	return site, withCode(exitSite, err)
}

// shown is what the table of mounts has as source of a site: its location as it was
// given, because mount -a compares it with the line of fstab, but for passwords.
func (f *siteFlags) shown(site *xcat.Site) string {
	if location := f.location(); location != "" && !hasPassword(location) {
		return location
	}
	return site.Status().Database
}

// hasPassword reports whether a location may hold a password.
func hasPassword(location string) bool { return passwordAt([]string{"--cfgloc=" + location}, 0) >= 0 }

// oneReading is longer than a command runs that reads the database once.
const oneReading = 1000 * time.Hour

// snapshot opens the site and reads its rows, for commands that run once.
func (f *siteFlags) snapshot(ctx context.Context) (*xcat.Site, *xcat.Catalog, error) {
	site, err := f.open(ctx, oneReading, nil)
	if err != nil {
		return nil, nil, err
	}
	catalog, err := site.Catalog(ctx)
	if err != nil {
		_ = site.Close()
		return nil, nil, withCode(exitSite, err)
	}
	return site, catalog, nil
}

// engine returns an engine that makes bundles as the flags say. log is told of panics, and
// of a cache that cannot be used; without one, stderr is told of that. The heap of the
// process is limited from now on.
func (f *siteFlags) engine(stderr io.Writer, log *slog.Logger) (*bundle.Engine, error) {
	warn := func(err error) { fmt.Fprintf(stderr, "%s: %s\n", programName, printable(stderr, err.Error())) }
	if log != nil {
		warn = func(err error) { log.Warn("the cache on disk cannot be used", "error", err) }
	}
	engine, err := bundle.NewEngine(bundle.EngineOptions{
		Memory:    int64(f.memory),
		CacheDir:  f.cacheDir,
		CacheSize: int64(f.cacheSize),
		Codec:     bundle.Codec{Compression: bundle.Compression(f.compression), Level: f.level},
		Warn:      warn,
		Log:       log,
	})
	if err != nil {
		return nil, usageError("%w", err)
	}
	limitHeap(int64(f.memory))
	return engine, nil
}

// closeLimit is how long a command that a signal has ended waits for its engine. A
// segment in the making takes a tenth of a second, and a source on a file server that
// does not answer for ever.
const closeLimit = 100 * time.Millisecond

// closeEngine closes the engine of a command that is about to end. When ctx has ended,
// it does not wait for work that is of no use any more.
func closeEngine(ctx context.Context, engine *bundle.Engine) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		engine.Close()
	}()
	select {
	case <-closed:
		return
	case <-ctx.Done():
	}
	select {
	case <-closed:
	case <-time.After(closeLimit):
	}
}

// byteSize is a number of bytes, which a flag spells with a suffix: 268435456,
// 256M, 256MiB, 0.25G. All suffixes are powers of 1024.
type byteSize int64

// maxByteSize is 1 PiB; a larger size is a mistake.
const maxByteSize = 1 << 50

// Set reads a size.
func (b *byteSize) Set(text string) error {
	size, err := units.RAMInBytes(strings.TrimSpace(text))
	if err != nil || size <= 0 || size > maxByteSize {
		return errors.New("invalid size; for example 256MiB")
	}
	*b = byteSize(size)
	return nil
}

// String is the size to four digits with a suffix: "256MiB", "1.409GiB".
func (b byteSize) String() string { return units.BytesSize(float64(b)) }

// Type names the kind of value for pflag.
func (byteSize) Type() string { return "bytes" }

// cacheSize is a byteSize that may be 0.
type cacheSize byteSize

// Set reads a size.
func (c *cacheSize) Set(text string) error {
	if strings.TrimSpace(text) == "0" {
		*c = 0
		return nil
	}
	return (*byteSize)(c).Set(text)
}

// String is the size as byteSize shows it.
func (c cacheSize) String() string { return byteSize(c).String() }

// Type names the kind of value for pflag.
func (cacheSize) Type() string { return "bytes" }
