package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Mounts end when the package is removed, and never when another one takes its place.
// dpkg and rpm tell the scripts which it is, each in its own words.
func TestMountsEndOnlyOnRemoval(t *testing.T) {
	for _, c := range []struct {
		argument string
		ends     bool
	}{
		{"remove", true}, {"0", true}, {"upgrade", false}, {"1", false}, {"deconfigure", false}, {"failed-upgrade", false}, {"", false},
	} {
		called := callScript(t, "preremove.sh", c.argument)
		ends := strings.Contains(called, "disable imgexportfs@.service") && strings.Contains(called, "findmnt")
		if ends != c.ends || !ends && called != "" {
			t.Errorf("preremove.sh %q calls %q", c.argument, called)
		}
	}
}

// The cache is data of dpkg's package until it is purged; rpm has one step only.
func TestCacheGoesWithTheLastStep(t *testing.T) {
	for _, c := range []struct {
		argument string
		goes     bool
	}{
		{"purge", true}, {"0", true}, {"remove", false}, {"upgrade", false}, {"1", false}, {"", false},
	} {
		called := callScript(t, "postremove.sh", c.argument)
		if goes := strings.Contains(called, "rm -rf --one-file-system /var/cache/imgexportfs\n"); goes != c.goes {
			t.Errorf("postremove.sh %q calls %q", c.argument, called)
		}
	}
}

// callScript tells which programs a script calls. None does anything, and systemctl fails,
// as it does in a container.
func callScript(t *testing.T, script, argument string) string {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	for _, name := range []string{"systemctl", "findmnt", "rm", "grep"} {
		text := "#!/bin/sh\necho " + name + " \"$@\" >> " + log + "\n[ " + name + " != systemctl ]\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/sh", "scripts/"+script, argument)
	cmd.Env = []string{"PATH=" + dir}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %q: %v: %s", script, argument, err, out)
	}
	called, err := os.ReadFile(log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(called)
}
