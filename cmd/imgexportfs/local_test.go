package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLocalPlaceRules(t *testing.T) {
	cwd, other := realTempDir(t), realTempDir(t)
	mkdir(t, filepath.Join(cwd, "sub"))
	write(t, filepath.Join(cwd, "old.tgz"), "old")
	write(t, filepath.Join(other, "aimed.tgz"), "old")
	mkdir(t, filepath.Join(other, "deep"))
	symlink(t, other, filepath.Join(cwd, "dirlink"))
	symlink(t, filepath.Join(other, "deep"), filepath.Join(cwd, "deeplink"))
	symlink(t, filepath.Join(other, "aimed.tgz"), filepath.Join(cwd, "filelink"))

	for _, test := range []struct{ operand, dir, file string }{
		{"", cwd, cwd + "/c60_name.tgz"},
		{".", cwd, cwd + "/c60_name.tgz"},
		{"./", cwd, cwd + "/c60_name.tgz"},
		{"out", cwd, cwd + "/out"},
		{"out.tar.gz", cwd, cwd + "/out.tar.gz"},
		{"./out", cwd, cwd + "/out"},
		{"old.tgz", cwd, cwd + "/old.tgz"},
		{"sub", cwd + "/sub", cwd + "/sub/c60_name.tgz"},
		{"sub/", cwd + "/sub", cwd + "/sub/c60_name.tgz"},
		{"sub/out", cwd + "/sub", cwd + "/sub/out"},
		{"..", filepath.Dir(cwd), filepath.Dir(cwd) + "/c60_name.tgz"},
		{other, other, other + "/c60_name.tgz"},
		{other + "/", other, other + "/c60_name.tgz"},
		{other + "/x", other, other + "/x"},
		{"dirlink", cwd + "/dirlink", other + "/c60_name.tgz"},
		{"dirlink/x", cwd + "/dirlink", other + "/x"},
		{"deeplink/../x", cwd, other + "/x"},
		{"filelink", cwd, other + "/aimed.tgz"},
		{"-dash", cwd, cwd + "/-dash"},
	} {
		d, err := newLocalPlace(cwd, test.operand)
		if err != nil {
			t.Errorf("%q: %v", test.operand, err)
			continue
		}
		if d.String() != test.dir {
			t.Errorf("%q: exports to directory %q, want %q", test.operand, d, test.dir)
		}
		if file, err := d.file("c60_name"); err != nil || file != test.file {
			t.Errorf("%q: file %q, %v; want %q", test.operand, file, err, test.file)
		}
	}
}

func TestLocalPlaceRefusesWhatIsNoFile(t *testing.T) {
	cwd := realTempDir(t)
	write(t, filepath.Join(cwd, "file"), "x")
	mkdir(t, filepath.Join(cwd, "taken", "foo.tgz"))
	symlink(t, "nowhere", filepath.Join(cwd, "dangling"))
	if err := unix.Mkfifo(filepath.Join(cwd, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	symlink(t, "fifo", filepath.Join(cwd, "fifolink"))
	symlink(t, "/dev/null", filepath.Join(cwd, "devicelink"))

	for operand, want := range map[string]string{
		"missing/":               "no such file or directory",
		"missing/out":            "no such file or directory",
		"file/":                  "not a directory",
		"file/out":               "not a directory",
		"taken/":                 "foo.tgz: is a directory",
		"dangling":               "symbolic link to nothing",
		"fifo":                   "is a fifo",
		"fifolink":               "is a fifo",
		"/dev/null":              "is a device",
		"devicelink":             "is a device",
		"/dev/stdout":            "use cat or cp from a mount",
		"/dev/fd/1":              "use cat or cp from a mount",
		"/proc/self/fd/1":        "use cat or cp from a mount",
		strings.Repeat("x", 256): "file name too long",
	} {
		d, err := newLocalPlace(cwd, operand)
		if err == nil {
			_, err = d.file("foo")
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want it to hold %q", operand, err, want)
		}
	}
}

// realTempDir is a temporary directory whose path holds no symbolic link.
func realTempDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}
