package main

import (
	"context"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"imgexportfs/bundle"
	"imgexportfs/fs"
	"imgexportfs/xcat"
)

// addValues offers the values of a flag.
func (c *completion) addValues(ctx context.Context, app *cli.App, site *siteFlags, flag flagHelp) {
	switch flag.names[0] {
	case "--root", "--cache-dir":
		c.paths = dirs
	case "--log-file", "--extra", "--cfgloc", "--config":
		c.paths = files
	case "--postscripts":
		typed := strings.TrimPrefix(c.typed, c.head)
		c.head += typed[:strings.LastIndexByte(typed, ',')+1]
		c.addAll(namesOfSite(ctx, site, (*xcat.Catalog).NodeNames))
	case "--against":
		c.addAll([]string{againstAuto, againstNone})
		c.addAll(namesOfSite(ctx, site, (*xcat.Catalog).Images))
	case "--compression":
		c.addAll([]string{string(bundle.Auto), string(bundle.Store), string(bundle.Deflate)})
	case "--level":
		c.addAll(strings.Split("123456789", ""))
	case "--log-format":
		c.addAll([]string{string(textLog), string(jsonLog)})
	case "--log-level":
		c.addAll([]string{"debug", "info", "warn", "error"})
	case "-o":
		typed := strings.TrimPrefix(c.typed, c.head)
		c.head += typed[:strings.LastIndexByte(typed, ',')+1]
		c.addAll([]string{"allow_other", "umask=", "uid=", "gid=", "context=", "passthrough", "nonempty", "noexec", "ro"})
		for _, flag := range visible(app.Command("mount").Flags) {
			if name, long := strings.CutPrefix(flag.names[len(flag.names)-1], "--"); long && flag.value != "" && name != "cfgloc" {
				c.add(strings.ReplaceAll(name, "-", "_")+"=", "")
			}
		}
	}
}

// addOperands offers the operands of a command that has some already.
func (c *completion) addOperands(ctx context.Context, app *cli.App, site *siteFlags, command string, operands int) {
	switch command {
	case exportName:
		if operands > 0 {
			c.paths = files
		}
		c.addImages(ctx, site)
	case "check":
		c.addImages(ctx, site)
	case "verify":
		c.paths = files
	case "mount", "dump":
		c.paths = dirs
	case "umount", "status":
		mounts, _ := fs.Mounts() // silent: a shell has no place for errors
		c.addAll(mounts)
	case helpName:
		c.addCommands(app)
	}
}

func (c *completion) addImages(ctx context.Context, site *siteFlags) {
	if !isPath(c.typed) { // there may be many images, and none is meant
		c.addAll(namesOfSite(ctx, site, (*xcat.Catalog).Images))
	}
}

// namesOfSite returns names from the database, and none if it cannot be read.
func namesOfSite(ctx context.Context, flags *siteFlags, names func(*xcat.Catalog) []string) []string {
	var err error
	if flags.file, err = flags.config.read(io.Discard); err != nil {
		return nil
	}
	if root, set := flags.file.Setting("root"); set && flags.root == "" {
		flags.root = root.Values[0]
	}
	site, catalog, err := flags.snapshot(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = site.Close() }()
	return names(catalog)
}
