package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestMain keeps the tests out of the cache directory of the host.
func TestMain(m *testing.M) {
	if err := os.Setenv(cacheDirEnv, ""); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestPasswordInAnArgumentIsFound(t *testing.T) {
	for arg, want := range map[string]string{
		"mysql:dbname=x;host=h|user|hush":          "hush",
		"--cfgloc=Pg:dbname=x|user|hu|sh":          "hu|sh",
		"-cfgloc=mysql:dbname=x||hush":             "hush",
		"MYSQL:dbname=x;password=hush;host=h":      "hush;host=h",
		"Pg:dbname=x;passwd='hush\n'|user|":        "'hush\n'|user|",
		"mysql:dbname=x;host=h|user|":              "",
		"mysql:dbname=x;host=h":                    "",
		"SQLite:/a|b|c":                            "",
		"--cfgloc":                                 "",
		"/install/postscripts/x:/dir|with|strokes": "",
	} {
		got := ""
		if at := passwordIn(arg); at >= 0 {
			got = arg[at:]
		}
		if got != want {
			t.Errorf("%q: found %q, want %q", arg, got, want)
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
