package main

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzChecksum holds files of checksums to this: a checksum that is found stands in the
// file, on a line that names the bundle or is the only one.
func FuzzChecksum(f *testing.F) {
	digits := strings.Repeat("0a", 32)
	for _, text := range []string{digits + "  foo.tgz\n", digits + " *./dir/foo.tgz\n", `\` + digits + "  a\\nb\n", digits, digits + "\n" + digits + "\n", "foo", "", digits + " ", strings.ToUpper(digits) + "  bar\n", strings.Repeat("x", 70_000) + "\n" + digits + "  foo.tgz\n"} {
		f.Add(text)
	}
	path := filepath.Join(f.TempDir(), "sums")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		sum, err := findChecksum(path, "foo.tgz")
		if err == nil && !strings.Contains(strings.ToLower(text), hex.EncodeToString(sum[:])) {
			t.Errorf("%q holds %x", text, sum)
		}
	})
}

// FuzzDestination holds the destinations of exports to this: what is written is a file that
// is or can be there, in a directory that is there, and is the file that the operand names,
// or NAME.tgz in the directory that it names. No other kind of file is replaced.
func FuzzDestination(f *testing.F) {
	for _, operand := range []string{"", "x", "x.tgz", "dir", "dir/", "dir/x", "link", "link/", "link/../x", "to-file", "to-nothing", "loop", "fifo", "file", "file/", "file/x", "nosuch/x", "nosuch/", ".", "..", "./dir/./x", "/dev/null", "/proc/self/fd/1", "/dev/", "//", "dir//x", "\x00", strings.Repeat("d", 300), "dir/" + strings.Repeat("../dir/", 900), "to-null", "dir/.."} {
		f.Add(operand)
	}
	cwd := f.TempDir()
	real, err := filepath.EvalSymlinks(cwd)
	if err == nil {
		err = os.Mkdir(cwd+"/dir", 0o755)
	}
	if err == nil {
		err = os.WriteFile(cwd+"/file", nil, 0o600)
	}
	for link, target := range map[string]string{"link": "dir", "to-file": "file", "to-nothing": "nothing", "loop": "loop", "to-null": "/dev/null"} {
		if err == nil {
			err = os.Symlink(target, cwd+"/"+link)
		}
	}
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, operand string) {
		place, err := newLocalPlace(cwd, operand)
		path := ""
		if err == nil {
			path, err = place.file("NAME")
		}
		if err != nil {
			if path != "" || !strings.HasPrefix(err.Error(), "destination ") && !strings.Contains(err.Error(), "lstat ") {
				t.Errorf("%q: %q, %v", operand, path, err)
			}
			return
		}
		named := operand
		if !filepath.IsAbs(named) {
			named = cwd + "/" + named
		}
		if st, err := os.Stat(named); err == nil && st.IsDir() {
			named += "/NAME.tgz"
		}
		have, errHave := os.Stat(path)
		want, errWant := os.Stat(named)
		if (errHave == nil) != (errWant == nil) || errHave == nil && (!os.SameFile(have, want) || !have.Mode().IsRegular()) {
			t.Errorf("%q is written to %s (%v), and names %s (%v)", operand, path, errHave, named, errWant)
		}
		if st, err := os.Stat(filepath.Dir(path)); err != nil || !st.IsDir() || !filepath.IsAbs(path) || filepath.Dir(path) == "/dev" {
			t.Errorf("%q is written to %s, in no directory: %v", operand, path, err)
		}
		if !filepath.IsAbs(operand) && !strings.Contains(operand, "..") && !strings.HasPrefix(path, real+"/") {
			t.Errorf("%q is written to %s", operand, path)
		}
	})
}
