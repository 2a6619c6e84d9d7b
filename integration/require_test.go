package integration

import (
	"os"
	"os/exec"
	"testing"
)

// need ends the test when a condition of its surroundings is not met: as
// skipped, or as failed when the runner promised to have everything.
func need(t *testing.T, ok bool, reason string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("IMGEXPORTFS_REQUIRE_FUSE") == "1" {
		t.Fatalf("%s, and IMGEXPORTFS_REQUIRE_FUSE=1 forbids to skip", reason)
	}
	t.Skip(reason)
}

// needRoot asks for root: the sites hold devices and files of other owners.
func needRoot(t *testing.T) {
	t.Helper()
	need(t, os.Geteuid() == 0, "needs root, to make devices and files of other owners")
}

// needFUSE asks for what a mount needs.
func needFUSE(t *testing.T) {
	t.Helper()
	needRoot(t)
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		need(t, false, "needs FUSE: "+err.Error())
		return
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// needTools asks for programs on PATH.
func needTools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := exec.LookPath(name)
		need(t, err == nil, "needs the program "+name)
	}
}
