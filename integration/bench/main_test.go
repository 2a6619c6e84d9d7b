package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The benchmark works: every chapter is measured, once and with small inputs.
func TestQuickRunFillsTheTable(t *testing.T) {
	need := func(ok bool, reason string) {
		switch {
		case ok:
		case os.Getenv("IMGEXPORTFS_REQUIRE_FUSE") == "1":
			t.Fatal(reason)
		default:
			t.Skip(reason)
		}
	}
	need(os.Geteuid() == 0, "needs root, to mount")
	_, err := os.Stat("/dev/fuse")
	need(err == nil, "needs FUSE")
	_, err = exec.LookPath("cpio")
	need(err == nil, "needs cpio")
	program := filepath.Join(t.TempDir(), "imgexportfs")
	if out, err := exec.Command("go", "build", "-o", program, "imgexportfs/cmd/imgexportfs").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	var table bytes.Buffer
	if err := run([]string{"-quick", "-binary", program, "-dir", t.TempDir()}, &table); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"| work | imgexportfs |", "**stateless image", "**statelite image", "**raw image", "small images**", "stateful images**", "files**", "readers at once",
		"second `cp`", "first byte", "99 of 100", "`ls -l`", "size of the bundle", "most memory", "aims missed",
	} {
		if !strings.Contains(table.String(), part) {
			t.Errorf("the table lacks %q:\n%s", part, table.String())
		}
	}
}

func TestPercentilesAreSamples(t *testing.T) {
	s := samples{5, 1, 4, 2, 3}
	for p, want := range map[int]int{1: 1, 50: 3, 60: 3, 61: 4, 99: 5, 100: 5} {
		if got := int(s.percentile(p)); got != want {
			t.Errorf("percentile %d of %v is %d, want %d", p, s, got, want)
		}
	}
}

func TestEachRunBeginsWithAnotherWay(t *testing.T) {
	var order strings.Builder
	note := func(name string) way {
		return way{name, "", func() (time.Duration, error) {
			order.WriteString(name)
			return 0, nil
		}}
	}
	b := &bench{runs: 4}
	all, err := b.inTurn("test", note("a"), note("b"), note("c"))
	if err != nil || order.String() != "abcbcacababc" || len(all["b"]) != 4 {
		t.Errorf("order %s, %d runs of b, %v", order.String(), len(all["b"]), err)
	}
}
