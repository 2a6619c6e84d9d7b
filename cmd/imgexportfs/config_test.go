package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A setting of the command line counts more than the file's, each is shown with where it is
// from, and of a password nothing is shown.
func TestConfigShowsSettingsAndNoPassword(t *testing.T) {
	t.Setenv(locationEnv, "")
	file := filepath.Join(t.TempDir(), "c.yaml")
	write(t, file, "refresh: 7\nlevel: 2\ncfgloc: mysql:dbname=f;host=h|u|hush\n")
	for args, want := range map[string][]string{
		"": {"refresh: 7s # FILE:1", "level: 2 # FILE:2", "cfgloc: mysql:dbname=f;host=h|u|(hidden) # FILE:3"},
		"--refresh 9 --cfgloc mysql:dbname=c;host=h|u|hush": {
			"refresh: 9s # command line", "level: 2 # FILE:2", "cfgloc: mysql:dbname=c;host=h|u|(hidden) # command line"},
	} {
		code, stdout, _, both := try(t, append([]string{"imgexportfs", "config", "--config", file}, strings.Fields(args)...)...)
		text := "\n" + strings.ReplaceAll(stdout, file, "FILE")
		for _, line := range want {
			if code != 0 || !strings.Contains(text, "\n"+line+"\n") {
				t.Errorf("config %s: code %d, no line %q in\n%s", args, code, line, both)
			}
		}
		if strings.Contains(both, "hush") {
			t.Errorf("config %s shows the password:\n%s", args, both)
		}
	}
}
