package fs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/xcat"
)

func TestSha256sumTakesTheChecksumOfEveryName(t *testing.T) {
	sum := [32]byte{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55} // of nothing
	for _, name := range []string{"foo.tgz", "sp ace.tgz", `back\slash.tgz`, "-dash.tgz", "ünï.tgz", "*.tgz"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		check := exec.Command("sha256sum", "-c", "--strict")
		check.Dir = dir
		check.Stdin = strings.NewReader(checksumLine(name, sum))
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

func TestEveryProblemIsOneLine(t *testing.T) {
	text := errorsText([]xcat.Message{{Level: xcat.Error, Text: "Couldn't find file a\nb"}, {Level: xcat.Warning, Text: "odd"}})
	if want := "Error: Couldn't find file a\\nb\nWarning: odd\n"; text != want {
		t.Errorf("%q, want %q", text, want)
	}
	if errorsText(nil) != "" {
		t.Error("no problem makes a text")
	}
}
