package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imgexportfs/xcat"
)

const tabdumpDir = "../../integration/testdata/conformance/tabdump"

func TestDumpWritesWhatTabdumpWrites(t *testing.T) {
	recorded, err := filepath.Abs(tabdumpDir)
	if err != nil {
		t.Fatal(err)
	}
	root, cwd := unpackSite(t)
	for range 2 { // the second time over the first
		code, stdout, stderr, _ := try(t, "imgexportfs", "dump", "--root", root, "backup")
		if code != 0 || !strings.Contains(stderr, "is not below --root "+root) || !strings.Contains(stdout, "backup/osimage.csv: 109 rows\n") || strings.Count(stdout, "\n") != 10 {
			t.Fatalf("code %d, stderr %q, stdout %q", code, stderr, stdout)
		}
	}
	entries, err := os.ReadDir(filepath.Join(cwd, "backup"))
	if err != nil || len(entries) != 10 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		got, err := os.ReadFile(filepath.Join(cwd, "backup", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		want := []byte("#groupname,grouptype,members,membergroups,wherevals,comments,disable\n") // nodegroup, of which nothing was recorded
		if e.Name() != "nodegroup.csv" {
			if want, err = os.ReadFile(filepath.Join(recorded, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what tabdump wrote", e.Name())
		}
		if info, err := e.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestDumpWantsOneDirectory(t *testing.T) {
	root, cwd := unpackSite(t)
	if err := os.WriteFile(filepath.Join(cwd, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, exitUsage, "one directory"},
		{[]string{"a", "b"}, exitUsage, "one directory"},
		{[]string{"file"}, exitWrite, "file"},
		{[]string{"no/such/parent"}, exitWrite, "no/such/parent"},
		{[]string{"--cfgloc", "/none", "a"}, exitSite, "/none"},
	} {
		code, _, stderr, _ := try(t, append([]string{"imgexportfs", "dump", "--root", root}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%q: code %d, %q; want %d and %q", c.args, code, stderr, c.code, c.says)
		}
	}
}

// Whatever fails, the files that were there stay, and nothing else is left.
func TestDumpThatFailsLeavesTheOldOne(t *testing.T) {
	root, cwd := unpackSite(t)
	dumps, err := xcat.Dump(t.Context(), xcat.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cwd, "backup")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "osimage.csv")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx   context.Context
		spoil func(dumps []xcat.NamedDump)
		says  string
	}{
		"interrupted":       {stopped, func([]xcat.NamedDump) {}, "context canceled"},
		"no temporary file": {t.Context(), func(d []xcat.NamedDump) { d[len(d)-1].File = "nodir/x" }, "cannot write in "},
		"no rename":         {t.Context(), func(d []xcat.NamedDump) { d[0].File = "." }, "was not written"},
	} {
		spoiled := slices.Clone(dumps)
		c.spoil(spoiled)
		if err := writeDumps(c.ctx, dir, spoiled); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: %d files are left, %v", name, len(entries), err)
		}
		if text, err := os.ReadFile(old); err != nil || string(text) != "old" {
			t.Errorf("%s: the old file holds %q, %v", name, text, err)
		}
	}
}

// With a root a location counts from the root, and DIR does not. So dump says how its
// dumps are read, and they are.
func TestDumpsBelowTheRootAreReadWithTheFlagsThatDumpSays(t *testing.T) {
	root, cwd := unpackSite(t)
	link := filepath.Join(cwd, "link")
	symlink(t, root, link)
	code, _, stderr, _ := try(t, "imgexportfs", "dump", "--root", link, filepath.Join(link, "backup"))
	want := "read them with --root " + link + " --cfgloc CSV:/backup\n"
	if code != 0 || stderr != want {
		t.Fatalf("code %d, stderr %q, want %q", code, stderr, want)
	}
	code, stdout, stderr, _ := try(t, "imgexportfs", "list", "--no-size", "--root", link, "--cfgloc", "CSV:/backup")
	if code != 0 || strings.Count(stdout, "\n") < 100 {
		t.Errorf("code %d, stderr %q, stdout %q", code, stderr, stdout)
	}
}
