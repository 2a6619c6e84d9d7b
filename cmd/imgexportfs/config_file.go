package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/pflag"
	"github.com/urfave/cli/v2"

	"imgexportfs/bundle"
	"imgexportfs/cmd/imgexportfs/config"
	"imgexportfs/xcat"
)

// A setting comes from the command line, or else from the environment, or else from the
// configuration file, or else it is the default.

const (
	configName  = "config"
	configEnv   = "IMGEXPORTFS_CONFIG"
	defaultFile = "/etc/" + programName + ".yaml"
	configUsage = "read the configuration from this file; \"\" for none"
)

// unsettable are flags of the mount command that concern one call, and so are no keys of
// the file.
var unsettable = []string{configName, "daemon", "verbose", "debug"}

// settable returns the flags that the file may set, which are those of the mount command.
func settable(flags []cli.Flag) (keys []cli.Flag) {
	for _, flag := range flags {
		hidden, ok := flag.(cli.VisibleFlag)
		if ok && hidden.IsVisible() && !slices.Contains(unsettable, keyOf(flag)) {
			keys = append(keys, flag)
		}
	}
	return keys
}

// keyOf is the key of a flag in the file: its first long name.
func keyOf(flag cli.Flag) string {
	for _, name := range flag.Names() {
		if len(name) > 1 {
			return name
		}
	}
	return ""
}

// kindOf says which values of the file a flag takes.
func kindOf(flag cli.Flag) config.Kind {
	switch f := flag.(type) {
	case *cli.BoolFlag:
		return config.Switch
	case *cli.IntFlag:
		return config.Number
	case *cli.GenericFlag:
		switch f.Value.(type) {
		case *optionList:
			return config.List
		case *logFormat, *logLevel:
			return config.Text
		}
		return config.Amount
	}
	return config.Text
}

// configPath is the value of --config.
type configPath struct {
	given bool
	path  string
}

// Set takes the name of a file.
func (p *configPath) Set(path string) error {
	*p = configPath{true, path}
	return nil
}

// String is the name of the file.
func (p *configPath) String() string { return p.path }

// Type names the kind of value for pflag.
func (*configPath) Type() string { return "file" }

// find returns the name of the configuration file, "" for none, and whether somebody has
// named it.
func (p configPath) find() (name string, named bool) {
	if p.given {
		return p.path, true
	}
	if name, set := os.LookupEnv(configEnv); set {
		return name, true
	}
	return defaultFile, false
}

// read reads the configuration file and checks all that it holds, whichever command
// it is for. There need not be one unless it was named.
func (p configPath) read(stderr io.Writer) (*config.File, error) {
	name, named := p.find()
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, usageError("configuration file: %w; --config '' does without one", err)
	}
	keys, kinds := settable(newMountFlags().forCommand()), map[string]config.Kind{}
	for _, key := range keys {
		kinds[keyOf(key)] = kindOf(key)
	}
	file, err := config.Parse(name, text, kinds)
	if err == nil {
		err = checkSettings(file, keys)
	}
	if err != nil {
		return nil, usageError("%w", err)
	}
	warnOfPassword(file, stderr)
	return file, nil
}

// checkSettings tries each setting on a flag.
func checkSettings(file *config.File, keys []cli.Flag) error {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	for _, key := range keys {
		if err := key.Apply(set); err != nil {
			return err
		}
	}
	for _, s := range file.Settings {
		for _, value := range s.Values {
			err := set.Set(s.Key, value)
			if err == nil {
				err = checkValue(s.Key, value)
			}
			if err != nil {
				return file.Error(s.Line, "%s: %w", s.Key, err)
			}
		}
	}
	return nil
}

// checkValue finds out what is wrong with a value that its flag takes.
func checkValue(key, value string) error {
	switch key {
	case "compression":
		return bundle.Codec{Compression: bundle.Compression(value)}.Check()
	case "level":
		level, err := strconv.Atoi(value)
		if err != nil {
			return err
		}
		return bundle.Codec{Level: level}.Check()
	case "metrics-addr":
		return (&metricsFlags{addr: value}).check()
	case optionsKey:
		var list optionList
		if err := list.Set(value); err != nil {
			return err
		}
		// Flags are keys of the file, and would count more than the command line's here.
		return new(mountOptions).read(list, nil, nil, false)
	}
	return nil
}

// warnOfPassword names a file that shows a password to every user.
func warnOfPassword(file *config.File, stderr io.Writer) {
	location, _ := file.Setting("cfgloc")
	if isDaemon { // which the caller has been told
		return
	}
	if len(location.Values) == 0 || !hasPassword(location.Values[0]) {
		return
	}
	if st, err := os.Stat(file.Name); err == nil && st.Mode().Perm()&0o004 != 0 {
		text := fmt.Sprintf("%s:%d holds a password, and every user may read it; chmod 600 %s", file.Name, location.Line, file.Name)
		fmt.Fprintf(stderr, "%s: %s\n", programName, printable(stderr, text))
	}
}

// isSetByFile reports whether the file sets the flag of a key, unless the command line
// does. A variable of the environment counts more, and location decides about cfgloc.
func isSetByFile(key string) bool {
	_, inEnvironment := os.LookupEnv(cacheDirEnv)
	return key != "cfgloc" && !(key == "cache-dir" && inEnvironment)
}

// takeFile reads the configuration file, and sets those flags of a command that the
// command line has not set.
func (f *siteFlags) takeFile(c *cli.Context) (err error) {
	if f.file, err = f.config.read(c.App.ErrWriter); f.file == nil {
		return err
	}
	for _, s := range f.file.Settings {
		flag := flagNamed(c.Command, s.Key)
		if flag == nil || !isSetByFile(s.Key) {
			continue
		}
		if s.Key == optionsKey {
			if err := flag.(*cli.GenericFlag).Value.(*optionList).putFirst(s.Values); err != nil {
				return err
			}
		} else if !c.IsSet(s.Key) {
			if err := c.Set(s.Key, s.Values[0]); err != nil {
				return err
			}
			f.taken = append(f.taken, s.Key)
		}
	}
	return nil
}

// withFile returns flags whose defaults are what the configuration file says, for the
// export command, which reads its command line by itself.
func (f *siteFlags) withFile(stderr io.Writer) (*siteFlags, error) {
	file, err := f.config.read(stderr)
	if file == nil {
		return f, err
	}
	preset := newSiteFlags()
	preset.file = file
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	preset.addTo(set)
	for _, s := range file.Settings {
		if set.Lookup(s.Key) != nil && isSetByFile(s.Key) {
			if err := set.Set(s.Key, s.Values[0]); err != nil {
				return nil, err
			}
		}
	}
	return preset, nil
}

// isOfSite reports whether the file is about the site that the flags name. The host's own
// file is about the host's own site, and not about one below another root. A file that
// somebody has named is meant.
func (f *siteFlags) isOfSite() bool {
	if f.file == nil || f.file.Name != defaultFile {
		return f.file != nil
	}
	own := "/"
	if s, set := f.file.Setting("root"); set {
		own = cmp.Or(s.Values[0], own)
	}
	return filepath.Clean(cmp.Or(f.root, "/")) == filepath.Clean(own)
}

// location is the location of the database that the flags or the file give; "" if it is
// to be found as xCAT does, which begins with XCATCFG. That counts on this host only.
func (f *siteFlags) location() string {
	if f.cfgloc != "" || getenv(locationEnv) != "" && filepath.Clean(cmp.Or(f.root, "/")) == "/" || !f.isOfSite() {
		return f.cfgloc
	}
	s, set := f.file.Setting("cfgloc")
	if !set {
		return ""
	}
	return s.Values[0]
}

// request asks for the bundle of an image as the file wants it. The mount and every
// command ask in this way.
func (f *siteFlags) request(image string) xcat.Request {
	req := xcat.Request{Image: image}
	if f.isOfSite() {
		wanted := f.file.Image(image)
		req.Extras, req.Node = wanted.Extras, wanted.Node
	}
	return req
}
