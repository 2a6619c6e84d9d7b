package config

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzParse holds configuration files to this: an answer in a bounded time; an error that
// begins with the file and a line that it has; and settings of known keys only, whose
// values are of the key's kind.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"root: &r /mnt\nlevel: 3\npprof: true\nmemory: 1GiB\noptions: [allow_other, \"umask=022\"]\nimages:\n  rhel9:\n    extra:\n      - /etc/a\n      - /etc/b:/etc/c\n    postscripts: n1\n  'rhel*': {extra: *r}\n  none:\n",
		"", "---\n", "# c\n", "root: a\n---\nroot: b\n", "root: &a [*a]\n", "? [a]\n: b\n", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\noptions: *c\n", "images: {'[': {}}\n", "images: {'': {}}\n",
		"<<: *x\n", "&a a: *a\n", "images: &i {x: *i}\n", "level: 0x10\n", "level: 1_000\n", "memory: .inf\n", "memory: 1e400\n", "root: !!binary aGk=\n", "root: !x y\n", "root: 'a\x1b[2J'\n", "root: \"\\e[2J\"\n", "\xff\xfeR\x00", "root: |\n a\n b\n", "\t", "%YAML 9.9\n---\n", "root: ~\n", "- a\n", "options: {a: b}\n", "'\x00': 1\n", "\"\\0\": 1\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		began := time.Now()
		file, err := Parse("f", text, testKeys)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%.100q takes %v", text, took)
		}
		if err != nil {
			expectPlace(t, text, err.Error())
			return
		}
		for _, s := range file.Settings {
			kind, known := testKeys[s.Key]
			if !known || kind != List && len(s.Values) != 1 {
				t.Errorf("%q has the setting %+v", text, s)
			}
		}
		for _, image := range file.Images {
			if found := file.Image(image.Pattern); found.Pattern != image.Pattern {
				t.Errorf("%q: the entry of %q is that of %q", text, image.Pattern, found.Pattern)
			}
			for _, extra := range image.Extras {
				if extra[0] != '/' {
					t.Errorf("%q takes the extra %q", text, extra)
				}
			}
		}
	})
}

// expectPlace holds an error to naming the file and one of its lines.
func expectPlace(t *testing.T, text []byte, message string) {
	t.Helper()
	parts := strings.SplitN(message, ":", 3)
	if len(parts) < 3 || parts[0] != "f" {
		t.Fatalf("%q: error %q names no file", text, message)
	}
	// The library ends lines at each of these, and may point behind the last one.
	lines := 2 + strings.Count(strings.NewReplacer("\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(text)), "\n")
	if line, err := strconv.Atoi(parts[1]); err != nil || line < 0 || line > lines && text[0] < 0xfe {
		t.Errorf("%q: error %q names no line of the file", text, message)
	}
}
