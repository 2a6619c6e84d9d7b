package config

import (
	"reflect"
	"strings"
	"testing"
)

var testKeys = map[string]Kind{"root": Text, "level": Number, "pprof": Switch, "memory": Amount, "options": List}

func TestParseReadsWhatTheFileSays(t *testing.T) {
	f, err := Parse("f", []byte(`root: &r /mnt
level: 3
pprof: true
memory: 1GiB
options: [allow_other, "umask=022"]
images:
  rhel9:
    extra:
      - /etc/a
      - /etc/b:/etc/c
    postscripts: n1
  'rhel*': {extra: *r}
  none:
`), testKeys)
	if err != nil {
		t.Fatal(err)
	}
	want := []Setting{
		{"root", []string{"/mnt"}, 1}, {"level", []string{"3"}, 2}, {"pprof", []string{"true"}, 3},
		{"memory", []string{"1GiB"}, 4}, {"options", []string{"allow_other", "umask=022"}, 5},
	}
	if !reflect.DeepEqual(f.Settings, want) {
		t.Errorf("settings %v, want %v", f.Settings, want)
	}
	for name, want := range map[string]Image{
		"rhel9": {"rhel9", 7, []string{"/etc/a", "/etc/b:/etc/c"}, "n1"},
		"rhel8": {Pattern: "rhel*", Line: 12, Extras: []string{"/mnt"}},
		"none":  {Pattern: "none", Line: 13},
		"sles":  {},
	} {
		if got := f.Image(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for _, nothing := range []string{"", "# only a comment\n", "---\n", "images:\n"} {
		if f, err := Parse("f", []byte(nothing), testKeys); err != nil || len(f.Settings)+len(f.Images) > 0 {
			t.Errorf("%q: %+v, %v", nothing, f, err)
		}
	}
}

// An entry is idle if no image takes it, also when a name matches it that another entry is for.
func TestIdleEntriesAreForNoImage(t *testing.T) {
	f, err := Parse("f", []byte("images: {rhel: {}, rhle: {}, 'r*': {}, 'rhel*': {}, 's*': {}}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, image := range f.Idle([]string{"rhel", "rocky"}) {
		got = append(got, image.Pattern)
	}
	if want := []string{"rhle", "rhel*", "s*"}; !reflect.DeepEqual(got, want) {
		t.Errorf("idle are %q, want %q", got, want)
	}
	if none := (*File)(nil).Idle([]string{"rhel"}); none != nil {
		t.Errorf("no file has idle entries: %v", none)
	}
}

// An image's own entry counts before every glob, and the first glob before the second.
func TestImageTakesItsNameBeforeAGlob(t *testing.T) {
	f, err := Parse("f", []byte("images: {'*': {postscripts: all}, 'r*': {postscripts: r}, rhel: {postscripts: own}, 'od[d]': {}}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, node := range map[string]string{"rhel": "own", "rocky": "all", "od[d]": ""} {
		if got := f.Image(name).Node; got != node {
			t.Errorf("%s: %q, want %q", name, got, node)
		}
	}
	var none *File
	if got := none.Image("x"); got.Node != "" || got.Extras != nil {
		t.Errorf("without a file: %+v", got)
	}
}

func TestParseNamesTheLineOfWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"root: /\nrot: /x\n", `f:2: unknown key "rot"; there are level, memory, options, pprof, root, images`},
		{"root: /\n\nroot: /x\n", `f:3: the key "root" stands here for the second time`},
		{"\nroot: 5\n", "f:2: root: the value is a number, but must be a string; put it in quotes"},
		{"root:\n", "f:1: root: the value is empty, but must be a string"},
		{"root: [/]\n", "f:1: root: the value is a list, but must be a string"},
		{"root: 2020-01-01\n", "f:1: root: the value is of the type !!timestamp, but must be a string; put it in quotes"},
		{"level: high\n", "f:1: level: the value is a string, but must be a whole number"},
		{"level: 1.5\n", "f:1: level: the value is a number, but must be a whole number"},
		{"# a comment\nroot: /mnt\nlevel: 3\npprof: yes\n", "f:4: pprof: the value is a string, but must be true or false"},
		{"pprof: 1\n", "f:1: pprof: the value is a number, but must be true or false"},
		{"memory: true\n", "f:1: memory: the value is true or false, but must be a number or a string"},
		{"options:\n- a\n- {b: c}\n", "f:3: options: the value is a mapping, but must be"},
		{"options: {a: b}\n", "f:1: options: the value is a mapping, but must be"},
		{"- root\n", "f:1: the file needs keys with values"},
		{"root\n", "f:1: the file needs keys with values"},
		{"? [a]\n: b\n", "f:1: a key of the file is not a string"},
		{"root: /\n  memory: 5\n", "f:2: not YAML: mapping values are not allowed in this context"},
		{"root: \"/\n", "f:"},
		{"root: *x\n", "f:1: not YAML: unknown anchor 'x' referenced"},
		{"\troot: /\n", "f:1: not YAML: "},
		{"root: /\n---\nlevel: 3\n", "f:2: a second document begins"},
		{"<<: {root: /}\n", `f:1: unknown key "<<"`},
		{"images: [a]\n", "f:1: images needs keys with values"},
		{"images:\n  a: x\n", "f:2: image a needs keys with values"},
		{"images:\n  a:\n    extras: [/x]\n", `f:3: unknown key "extras" of image a; there are extra and postscripts`},
		{"images:\n  a:\n    extra: 5\n", "f:3: extra: the value is a number"},
		{"images:\n  a:\n    extra: [etc/x]\n", `f:3: extra: "etc/x" does not begin with /`},
		{"images:\n  a:\n    postscripts: [n1]\n", "f:3: postscripts: the value is a list"},
		{"images:\n  'a[':\n", `f:2: "a[" is neither the name of an image nor a valid pattern`},
		{"images:\n  a:\n  a:\n", `f:3: the key "a" stands here for the second time`},
	} {
		if _, err := Parse("f", []byte(c.text), testKeys); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}
