package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What a license is called, and what only sounds like it.
func TestLicensesAreKnownByTheirNames(t *testing.T) {
	for name, is := range map[string]bool{
		"LICENSE": true, "LICENSE.md": true, "license.txt": true, "LICENCE": true, "LICENSE-3RD-PARTY.md": true,
		"COPYING": true, "NOTICE": true, "PATENTS": true, "LICENSES": false, "NOTICED": false, "README.md": false, "notice_test.c": false,
	} {
		if got := isNotice.MatchString(name); got != is {
			t.Errorf("%s is a license: %v", name, got)
		}
	}
}

// Licenses of code that a module has taken in stand below its own; a module without one is
// an error.
func TestTextsOfAModule(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"LICENSE": "mine\n", "inner/COPYING": "theirs\n", "inner/license.go": "package inner\n", "testdata/LICENSE": "nothing\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		folders bool
		want    string
	}{
		{false, "==== m v1: LICENSE\n\nmine\n\n"},
		{true, "==== m v1: LICENSE\n\nmine\n\n==== m v1: inner/COPYING\n\ntheirs\n\n"},
	} {
		var b bytes.Buffer
		if err := writeTexts(&b, "m v1", dir, c.folders); err != nil || b.String() != c.want {
			t.Errorf("with folders %v: %v\n%s", c.folders, err, &b)
		}
	}
	if err := writeTexts(&bytes.Buffer{}, "m v1", t.TempDir(), true); err == nil {
		t.Error("a module without a license is no error")
	}
}
