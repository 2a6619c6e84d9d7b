package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
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
		if code != 0 || stderr != "" || !strings.Contains(stdout, "backup/osimage.csv: 109 rows\n") || strings.Count(stdout, "\n") != 9 {
			t.Fatalf("code %d, stderr %q, stdout %q", code, stderr, stdout)
		}
	}
	entries, err := os.ReadDir(filepath.Join(cwd, "backup"))
	if err != nil || len(entries) != 9 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		got, err := os.ReadFile(filepath.Join(cwd, "backup", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(recorded, e.Name()))
		if err != nil {
			t.Fatal(err)
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
	site, err := xcat.OpenSite(t.Context(), xcat.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = site.Close() }()
	dumps, err := site.Dump(t.Context())
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
	broken := errors.New("broken")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		disk disk
		want error
	}{
		"no temporary file": {t.Context(), faultyDisk{fault: "create", err: broken}, broken},
		"a full disk":       {t.Context(), faultyDisk{fault: "write", err: broken}, broken},
		"no sync":           {t.Context(), faultyDisk{fault: "sync", err: broken}, broken},
		"no rename":         {t.Context(), faultyDisk{fault: "rename", err: broken}, broken},
		"interrupted":       {stopped, osDisk{}, context.Canceled},
	} {
		if err := writeDumps(c.ctx, c.disk, dir, dumps); !errors.Is(err, c.want) {
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
