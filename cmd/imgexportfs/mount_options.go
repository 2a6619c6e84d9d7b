package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"imgexportfs/fs"
)

// optionList is the value of -o: options of mount(8) in their order. There may be
// several -o; they add up.
type optionList []string

// Set reads one -o. A value may stand in quotation marks, because a security context
// may hold commas.
func (l *optionList) Set(list string) error {
	if passwordAt([]string{list}, 0) >= 0 { // a part of which must not be shown either
		return errors.New("the location of a database is no option of mount(8); --cfgloc takes it")
	}
	quoted := false
	for option := range strings.FieldsFuncSeq(list, func(r rune) bool {
		quoted = quoted != (r == '"')
		return r == ',' && !quoted
	}) {
		*l = append(*l, option)
	}
	return nil
}

// putFirst puts options of the configuration file before those of the command line, where
// the last one of a name counts.
func (l *optionList) putFirst(options []string) error {
	given := *l
	*l = nil
	for _, o := range options {
		if err := l.Set(o); err != nil {
			return err
		}
	}
	*l = append(*l, given...)
	return nil
}

// optionsKey is the long name of -o.
const optionsKey = "options"

// String is what help shows as the default.
func (l *optionList) String() string { return "" }

// mountOptions are the options that are no flags of the mount command.
type mountOptions struct {
	allowOther  bool
	passthrough bool
	nonEmpty    bool
	noExec      bool
	readWrite   bool // was asked for, and is not given
	umask       uint32
	uid, gid    uint32
	contexts    []string
}

const (
	knownOptions = "allow_other, umask=NNN, uid=N, gid=N, context=CONTEXT, passthrough, nonempty, noexec, ro, and the long flags as root=DIR or refresh=5"
	// privateUmask shows files only to their owner, because root images hold shadow
	// files and host keys.
	privateUmask = 0o077
)

// ignoredOptions are for mount(8), for systemd, or for file systems that are written
// to.
var ignoredOptions = strings.Fields(`
	_netdev auto noauto defaults nofail user nouser users owner group
	dev nodev suid nosuid exec async sync dirsync
	atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime lazytime nolazytime
	iversion noiversion mand nomand silent loud default_permissions`)

// ignoredPrefixes begin options of the same kind that have a value.
var ignoredPrefixes = []string{"x-", "X-", "comment=", "user="}

// read reads a list of options. flags are those of the mount command, each of which is
// an option of its name; set sets one of them. With sloppy, unknown options are
// ignored.
func (o *mountOptions) read(list []string, flags []cli.Flag, set func(name, value string) error, sloppy bool) error {
	*o = mountOptions{umask: privateUmask, uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	for _, option := range list {
		name, value, hasValue := strings.Cut(option, "=")
		known, err := o.take(name, value, hasValue)
		if err == nil && !known && !isIgnored(option) {
			known, err = setFlag(flags, set, name, value, hasValue)
			if err == nil && !known && !sloppy {
				return fmt.Errorf("unknown option %q; there are %s", name, knownOptions)
			}
		}
		if err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
	}
	return nil
}

// take reads an option that is not a flag, and reports whether it is one.
func (o *mountOptions) take(name, value string, hasValue bool) (known bool, err error) {
	switches := map[string]*bool{
		"ro": new(bool), "rw": &o.readWrite, "allow_other": &o.allowOther,
		"passthrough": &o.passthrough, "nonempty": &o.nonEmpty, "noexec": &o.noExec,
	}
	if on, is := switches[name]; is {
		if hasValue {
			return true, fmt.Errorf("takes no value, but there is %q", value)
		}
		*on = true
		return true, nil
	}
	switch name {
	case "umask":
		o.umask, err = number(value, 8, 0o777, "an octal number of up to three digits, such as 022")
	case "uid":
		o.uid, err = number(value, 10, 1<<32-2, "the number of a user")
	case "gid":
		o.gid, err = number(value, 10, 1<<32-2, "the number of a group")
	case "context", "fscontext", "defcontext", "rootcontext":
		o.contexts = append(o.contexts, name+"="+value)
	case "remount":
		err = errors.New("a mount cannot be changed; unmount it and mount it again")
	case "cfgloc":
		err = errors.New("the location of the database is no option; it is the SOURCE of mount(8), or --cfgloc takes it")
	default:
		return false, nil
	}
	return true, err
}

func number(text string, base int, most uint64, what string) (uint32, error) {
	n, err := strconv.ParseUint(text, base, 32)
	if err != nil || n > most {
		return 0, fmt.Errorf("%q is not %s", text, what)
	}
	return uint32(n), nil
}

func isIgnored(option string) bool {
	return slices.Contains(ignoredOptions, option) ||
		slices.ContainsFunc(ignoredPrefixes, func(prefix string) bool { return strings.HasPrefix(option, prefix) })
}

// setFlag sets the flag that an option names, and reports whether there is one. Options
// have underscores where flags have dashes.
func setFlag(flags []cli.Flag, set func(name, value string) error, option, value string, hasValue bool) (known bool, err error) {
	name := strings.ReplaceAll(option, "_", "-")
	for _, flag := range flags {
		if len(name) < 2 || flag.Names()[0] != name || name == versionName || name == helpName {
			continue
		}
		switch {
		case !hasValue && takesValue(flag):
			return true, fmt.Errorf("needs a value, as in %s=VALUE", option)
		case !hasValue:
			value = "true"
		}
		if err := set(name, value); err != nil {
			return true, fmt.Errorf("%q: %w", value, err)
		}
		return true, nil
	}
	return false, nil
}

// addTo puts the options into those of the mount.
func (o *mountOptions) addTo(opts *fs.Options) {
	opts.Umask, opts.Owner = o.umask, &fs.Owner{UID: o.uid, GID: o.gid}
	opts.AllowOther, opts.Passthrough, opts.NonEmpty, opts.NoExec = o.allowOther, o.passthrough, o.nonEmpty, o.noExec
	opts.Contexts = o.contexts
}
