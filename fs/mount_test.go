package fs

import (
	"os"
	"strings"
	"testing"
)

func TestMountPointsAreUnescaped(t *testing.T) {
	for in, want := range map[string]string{`/mnt/a\040b`: "/mnt/a b", `/mnt/a\134b`: `/mnt/a\b`, `/mnt/a\134040b`: `/mnt/a\040b`, "/mnt": "/mnt"} {
		if got := unescapeMount(in); got != want {
			t.Errorf("unescapeMount(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestOnlyOwnMountsAreUnmounted(t *testing.T) {
	for _, dir := range []string{"/proc", "/", t.TempDir()} {
		if err := Unmount(dir); err == nil || !strings.Contains(err.Error(), "not a mount of imgexportfs") {
			t.Errorf("Unmount(%s) = %v", dir, err)
		}
	}
}

func TestMountPointsThatCannotBeSaySo(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{file: "not a directory", file + "none": "no such file"} {
		if err := mountable(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if _, err := Mount(t.TempDir(), nil, nil, Options{Umask: 0o1777}); err == nil {
		t.Error("a umask of more than permissions is taken")
	}
}
