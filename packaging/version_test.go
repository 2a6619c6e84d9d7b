package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// repository is a new one, in which git runs without the settings of who tests.
func repository(t *testing.T) (git func(args ...string)) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
		"GIT_COMMITTER_DATE": "2026-11-25T23:30:00-0200", // in UTC the next day
	} {
		t.Setenv(name, value)
	}
	git = func(args ...string) {
		t.Helper()
		run(t, dir, append([]string{"git"}, args...)...)
	}
	git("init", "-q")
	return git
}

// A history in its order: what version.sh says at each point has the form that is
// documented, and dpkg and rpm find it newer than the one before.
func TestVersionsRise(t *testing.T) {
	script, err := filepath.Abs("version.sh")
	if err != nil {
		t.Fatal(err)
	}
	git := repository(t)
	commit := func() { git("commit", "-q", "--allow-empty", "-m", "c") }
	before := ""
	for _, c := range []struct {
		step func()
		want string
	}{
		{commit, `0\.0\.0~git20261126\.1\.[0-9a-f]{7}`},
		{commit, `0\.0\.0~git20261126\.2\.[0-9a-f]{7}`},
		{func() { git("tag", "nightly"); commit() }, `0\.0\.0~git20261126\.3\.[0-9a-f]{7}`},
		{func() { git("tag", "v1.0.0-rc1") }, `1\.0\.0~rc1`},
		{commit, `1\.0\.0~rc1\+git1\.[0-9a-f]{7}`},
		{func() { git("tag", "v1.0.0-rc2") }, `1\.0\.0~rc2`},
		{func() { commit(); git("tag", "-a", "v1.0.0", "-m", "one") }, `1\.0\.0`},
		{commit, `1\.0\.0\+git1\.[0-9a-f]{7}`},
		{commit, `1\.0\.0\+git2\.[0-9a-f]{7}`},
		{func() { git("tag", "v1.0.1") }, `1\.0\.1`},
	} {
		c.step()
		got := run(t, ".", script)
		if !regexp.MustCompile(`^` + c.want + `\n$`).MatchString(got) {
			t.Errorf("the version is %q and not %q", got, c.want)
		}
		got = got[:len(got)-1]
		if before != "" {
			expectNewer(t, got, before)
		}
		before = got
	}
	if err := os.WriteFile("file", []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	git("add", "file")
	if got := run(t, ".", script); got != "1.0.1+dirty\n" {
		t.Errorf("with changes the version is %q", got)
	}
}

// expectNewer asks the package managers that are there.
func expectNewer(t *testing.T, newer, older string) {
	t.Helper()
	if _, err := exec.LookPath("dpkg"); err == nil {
		run(t, ".", "dpkg", "--compare-versions", newer, "gt", older)
	}
	if _, err := exec.LookPath("rpm"); err == nil {
		if got := run(t, ".", "rpm", "--eval", `%{lua: print(rpm.vercmp("`+newer+`", "`+older+`"))}`); got != "1\n" {
			t.Errorf("rpm compares %s with %s as %q", newer, older, got)
		}
	}
}
