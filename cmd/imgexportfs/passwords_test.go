package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestPasswordInAnArgumentIsFound(t *testing.T) {
	for arg, want := range map[string]string{
		"mysql:dbname=x;host=h|user|hush":          "hush",
		"--cfgloc=Pg:dbname=x|user|hu|sh":          "hu|sh",
		"-cfgloc=mysql:dbname=x||hush":             "hush",
		"MYSQL:dbname=x;password=hush;host=h":      "hush;host=h",
		"Pg:dbname=x;passwd='hush\n'|user|":        "'hush\n'|user|",
		"--c=mysql:dbname=x|user|hush":             "hush",
		"--cfg=mysql:dbname=x|user|hush":           "hush",
		"--cfg=mysq:dbname=x|user|hush":            "user|hush", // misspelled
		"--cfgloc=dbname=x|user|hush":              "user|hush",
		"--cfgloc= mysql:dbname=x|user|hush":       "hush",
		"-ocfgloc=mysql:dbname=x|user|hush":        "hush",
		"-vpmysql:dbname=x|user|hush":              "hush",
		"XCATCFG=mysql:dbname=x|user|hush":         "hush",
		"mysql:dbname=x;password = hush":           " hush",
		"mysql:dbname=x;host=h|user|":              "",
		"--cfgloc=mysql:dbname=x;host=h|user|":     "",
		"--cfgloc=/a/file":                         "",
		"--cache-dir=/a|b|c":                       "",
		"mysql:dbname=x;host=h":                    "",
		"SQLite:/a|b|c":                            "",
		"--cfgloc":                                 "",
		"/install/postscripts/x:/dir|with|strokes": "",
	} {
		got := ""
		if at := passwordAt([]string{"imgexportfs", arg}, 1); at >= 0 {
			got = arg[at:]
		}
		if got != want {
			t.Errorf("%q: found %q, want %q", arg, got, want)
		}
	}
}

// A separate value is known by the flag before it.
func TestPasswordInAMisspelledLocationIsFound(t *testing.T) {
	for _, flag := range []string{"--cfgloc", "-cfgloc", "--cfg", "--c"} {
		if at := passwordAt([]string{flag, "mysq1:x|user|hush"}, 1); at != len("mysq1:x|") {
			t.Errorf("%s: found at %d", flag, at)
		}
	}
	if at := passwordAt([]string{"--root", "mysq1:x|user|hush"}, 1); at != -1 {
		t.Errorf("of --root: found at %d", at)
	}
}

// Whatever is wrong with a command line, no message repeats a password.
func TestMessagesHoldNoPassword(t *testing.T) {
	root, _ := unpackSite(t)
	const location = "mysql:dbname=x;host=h|user|hu,sh\n\"er"
	misspelled := "mysq1" + location[5:]
	for _, args := range [][]string{
		{location},
		{"--cfgloc", location, "list"},
		{"mount", location},
		{"mount", "/a", "--cfgloc", location},
		{"mount", "/a", "--cfgloc", misspelled},
		{"mount", "/a", "--cfgloc=" + location},
		{"mount", "-o", location, "/a"},
		{"mount", "-o", "cfgloc=" + location, "/a"},
		{"mount", "--refresh", location, "/a"},
		{"umount", "--cfgloc", location},
		{"umount", location},
		{"umount", "/nosuch", "--cfgloc", location},
		{"list", location},
		{"list", "--cfg=" + location},
		{"list", "--memory", location},
		{"list", "--level=" + location},
		{"list", "--compression", location, "--root", root},
		{"list", "--json=" + location},
		{"list", "--cfgloc", misspelled},
		{"check", "foo", "--cfgloc", location},
		{"check", "--root", root, "foo", "--cfgloc", misspelled},
		{"dump", "--root", root, location},
		{"version", location},
		{"export", "--root", root, location},
		{"export", "--root", root, "foo", location},
		{"export", "--root", root, "foo", "bar", location},
		{"export", "--root", root, "--", location},
		{"export", "--root", root, "foo", "-e", location},
		{"export", "--root", root, "foo", "-R", location},
		{"export", "--root", root, "foo", "-p", location},
		{"export", "--root", root, "-vp" + location, "foo"},
		{"export", "--root", root, "foo", "--c=" + location},
		{"export", "--root", root, "foo", "--c", location},
		{"export", "--root", root, "foo", "--nosuch=" + location},
		{"export", "--root", root, "--nosuch=" + location},
		{"export", "--root", root, "--nosuch", location},
		{"export", "foo", "--cfg=" + misspelled},
		{"export", "foo", "--memory", location},
		{"export", "foo", "--memory=" + location},
		{"export", "foo", "--verbose=" + location},
		{"export", "foo", "-x" + location},
	} {
		code, _, _, both := try(t, append([]string{"imgexportfs"}, args...)...)
		if code == 0 || strings.Contains(both, "hu,sh") || strings.Contains(both, `sh\n`) || strings.Contains(both, "er\"") || !strings.HasPrefix(both, "Error: ") {
			t.Errorf("%q: code %d: %s", args, code, both)
		}
	}
}

func TestPasswordsAreBlottedOutOfTheOriginalArguments(t *testing.T) {
	original := []string{"imgexportfs", "list", "--cfgloc", strings.Clone("mysql:dbname=x|user|hush")}
	own := takeArgs(original)
	if want := []string{"imgexportfs", "list", "--cfgloc", "mysql:dbname=x|user|hush"}; !slices.Equal(own, want) {
		t.Errorf("the program gets %q, want %q", own, want)
	}
	if want := []string{"imgexportfs", "list", "--cfgloc", "mysql:dbname=x|user|xxxx"}; !slices.Equal(original, want) {
		t.Errorf("ps shows %q, want %q", original, want)
	}
}

// Children inherit the environment, and this program still knows what was in it.
func TestTheLocationIsTakenOutOfTheEnvironment(t *testing.T) {
	before := getenv
	t.Cleanup(func() { getenv = before })
	const location = "mysql:dbname=x|user|hush"
	t.Setenv(locationEnv, location)
	takeLocation()
	if left, set := os.LookupEnv(locationEnv); set {
		t.Errorf("children get %q", left)
	}
	if got := getenv(locationEnv); got != location {
		t.Errorf("the program gets %q", got)
	}
}
