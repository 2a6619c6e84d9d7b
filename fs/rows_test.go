package fs

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryNameInAFolderHasOneOwner(t *testing.T) {
	long := strings.Repeat("x", 300)
	d := newNameTable([]string{"a", "a.tgz", "b c", "b_c", "d/e", long, ".hidden", "@node", "z"})
	for name, want := range map[string]string{
		"a": "a", "a.tgz": "a", "a.tgz.sha256": "a", "a.errors": "a",
		"b_c": "b c", "b_c.tgz": "b c",
		"z": "z", "z.tgz": "z",
		"a.tgz.tgz": "", "d/e": "", long: "", "@node": "", ".hidden": "",
	} {
		c, ok := d.owners[name]
		if ok != (want != "") || ok && c.offer.Image != want {
			t.Errorf("%.40s belongs to %+v, want %q", name, c.offer, want)
		}
	}
	names := d.clashNames()
	for _, want := range []string{"a.tgz.errors", "b_c.errors", "d%2Fe.errors", "@node.errors", ".hidden.errors"} {
		if !slices.Contains(names, want) || d.clashText(want) == "" {
			t.Errorf("no %s that says why, only %q", want, names)
		}
	}
	for _, name := range names {
		if len(name) > 255 || strings.ContainsAny(name, "/\x00") {
			t.Errorf("%q cannot be a file name", name)
		}
	}
	if len(names) != 6 {
		t.Errorf("%q", names)
	}
	if text := d.clashText("b_c.errors"); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "Error: ") {
		t.Errorf("%q is no line", text)
	}
}
