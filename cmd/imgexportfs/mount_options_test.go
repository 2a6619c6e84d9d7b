package main

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// readOptions reads several -o and returns the options, and the flags that they set.
func readOptions(sloppy bool, lists ...string) (o mountOptions, set map[string]string, err error) {
	var list optionList
	for _, l := range lists {
		if err := list.Set(l); err != nil {
			return o, nil, err
		}
	}
	set = map[string]string{}
	err = o.read(list, mountCommand().Flags, func(name, value string) error {
		if value == "bad" {
			return fmt.Errorf("invalid")
		}
		set[name] = value
		return nil
	}, sloppy)
	return o, set, err
}

func TestMountOptions(t *testing.T) {
	plain := mountOptions{umask: privateUmask, uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	with := func(change func(*mountOptions)) mountOptions {
		o := plain
		change(&o)
		return o
	}
	for text, want := range map[string]mountOptions{
		"ro":                        plain,
		"":                          plain,
		"ro,":                       plain,
		"rw":                        with(func(o *mountOptions) { o.readWrite = true }),
		"allow_other":               with(func(o *mountOptions) { o.allowOther = true }),
		"umask=022":                 with(func(o *mountOptions) { o.umask = 0o022 }),
		"umask=0":                   with(func(o *mountOptions) { o.umask = 0 }),
		"passthrough":               with(func(o *mountOptions) { o.passthrough = true }),
		"nonempty":                  with(func(o *mountOptions) { o.nonEmpty = true }),
		"noexec":                    with(func(o *mountOptions) { o.noExec = true }),
		"uid=4294967294,gid=7":      with(func(o *mountOptions) { o.uid, o.gid = 1<<32-2, 7 }),
		"umask=022,umask=777":       with(func(o *mountOptions) { o.umask = 0o777 }),
		"ro;umask=0027;allow_other": with(func(o *mountOptions) { o.umask, o.allowOther = 0o027, true }),
		`context="a:b:c0,c1",ro`:    with(func(o *mountOptions) { o.contexts = []string{`context="a:b:c0,c1"`} }),
		"_netdev,nofail,noauto,user,user=joe,nodev,nosuid,x-systemd.automount,X-mount.mkdir,comment=a b,defaults,noatime": plain,
	} {
		got, set, err := readOptions(false, strings.Split(text, ";")...)
		if err != nil || !reflect.DeepEqual(got, want) || len(set) > 0 {
			t.Errorf("-o %s: %+v, %v, %v; want %+v", text, got, set, err, want)
		}
	}
}

// Each flag of mount that is not about the options themselves is an option of its name.
func TestEveryFlagOfMountIsAnOption(t *testing.T) {
	for _, flag := range mountCommand().Flags {
		name := flag.Names()[0]
		if name == "o" || name == "cfgloc" {
			continue
		}
		option, want := strings.ReplaceAll(name, "-", "_"), map[string]string{name: "true"}
		if takesValue(flag) {
			if _, _, err := readOptions(false, option); err == nil || !strings.Contains(err.Error(), "option "+option+": needs a value, as in "+option+"=VALUE") {
				t.Errorf("-o %s: %v", option, err)
			}
			option, want = option+"=1", map[string]string{name: "1"}
		}
		if _, set, err := readOptions(false, option); err != nil || !maps.Equal(set, want) {
			t.Errorf("-o %s sets %v (%v), want %v", option, set, err, want)
		}
	}
}

func TestMountOptionsRefuseWhatTheyDoNotKnow(t *testing.T) {
	for text, want := range map[string]string{
		"allow_other=1":      "option allow_other: takes no value",
		"passthrough=no":     "option passthrough: takes no value",
		"umask":              "not an octal number",
		"umask=":             "not an octal number",
		"umask=8":            "not an octal number",
		"umask=1000":         "not an octal number",
		"umask=-1":           "not an octal number",
		"uid=4294967295":     "option uid: ",
		"gid=wheel":          `option gid: "wheel" is not the number of a group`,
		"ro,nosuchthing":     `unknown option "nosuchthing"; there are allow_other`,
		"o=ro":               `unknown option "o"`,
		"v":                  `unknown option "v"`,
		"remount,ro":         "option remount: ",
		"cfgloc=SQLite:/x":   "option cfgloc: ",
		"root=bad":           `option root: "bad": invalid`,
		"a=mysql:x|u|s3cret": "--cfgloc takes it",
		"root=/x,refresh=5,cfgloc=mysql:x|u|s3cret": "--cfgloc takes it",
	} {
		_, _, err := readOptions(false, text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("-o %s: error %v, want it to hold %q", text, err, want)
		}
	}
	if _, _, err := readOptions(true, "nosuchthing,nosuch=1"); err != nil {
		t.Errorf("unknown options with -s: %v", err)
	}
}

func TestFlagsMayStandAnywhere(t *testing.T) {
	app := newApp(nil, nil)
	for line, want := range map[string]string{
		"p mount DIR --root R":            "p mount --root R -- DIR",
		"p mount DIR --root=R -v":         "p mount --root=R -v -- DIR",
		"p mount -vo ro DIR --daemon":     "p mount -vo ro --daemon -- DIR",
		"p mount DIR -- --root":           "p mount -- DIR --root",
		"p mount DIR --root":              "p mount --root",
		"p mount - DIR":                   "p mount -- - DIR",
		"p mount DIR --nosuch x":          "p mount --nosuch -- DIR x",
		"p list --json":                   "p list --json --",
		"p check a --root R b --memory 3": "p check --root R --memory 3 -- a b",
		"p export foo -p n1 --root R":     "p export foo -p n1 --root R",
		"p nosuch x --y":                  "p nosuch x --y",
		"p --version":                     "p --version",
		"p":                               "p",
	} {
		if got := strings.Join(flagsFirst(app, strings.Fields(line)), " "); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

func TestDurationsMayBeNumbersOfSeconds(t *testing.T) {
	for text, want := range map[string]string{
		"5": "5s", "0": "0s", "0.5": "500ms", "500ms": "500ms", "1m": "1m0s",
		"": "!", "soon": "!", "-1": "!", "-1s": "!", "5 s": "!", "NaN": "!",
	} {
		var i interval
		got := "!"
		if err := i.Set(text); err == nil {
			got = i.String()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestMountHelpersSpeakAsMount8Does(t *testing.T) {
	for line, want := range map[string]string{
		"none /d":                                 "mount --daemon -- /d",
		"SQLite:/etc/xcat /d -o rw,root=/x":       "mount --daemon --cfgloc=SQLite:/etc/xcat -o=rw,root=/x -- /d",
		"none /d -n -v -o ro -t fuse.imgexportfs": "mount --daemon --verbose -o=ro -- /d",
		"none /d -sfv":                            "mount --daemon --fake --sloppy --verbose -- /d",
		"-r none -w /d":                           "mount --daemon -o=ro -o=rw -- /d",
		"none":                                    "!1 arguments",
		"none /d /e":                              "!3 arguments",
		"none /d -x":                              "!unknown shorthand",
	} {
		h, err := parseHelperArgs(strings.Fields(line))
		got := ""
		if err != nil {
			got = "!" + err.Error()
		} else {
			got = strings.Join(h.command()[1:], " ")
		}
		if got != want && !(want[0] == '!' && err != nil && strings.Contains(got, want[1:])) {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

var _ cli.Generic = (*optionList)(nil)
