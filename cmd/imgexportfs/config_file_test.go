package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"imgexportfs/cmd/imgexportfs/config"
)

// The example that is installed is valid when its lines are no comments any more, and has
// every key.
func TestExampleConfigurationIsValidAndComplete(t *testing.T) {
	text, err := os.ReadFile("../../packaging/imgexportfs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "example.yaml")
	text = regexp.MustCompile(`(?m)^#([a-z ])(.*)$`).ReplaceAllFunc(text, func(line []byte) []byte {
		if regexp.MustCompile(`^#([a-z-]+:|  )`).Match(line) {
			return line[1:]
		}
		return line
	})
	write(t, file, string(text))
	var stderr bytes.Buffer
	read, err := (&configPath{given: true, path: file}).read(&stderr)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, s := range read.Settings {
		keys = append(keys, s.Key)
	}
	for _, flag := range settable(newMountFlags().forCommand()) {
		if !slices.Contains(keys, keyOf(flag)) {
			t.Errorf("%s is not in the example", keyOf(flag))
		}
	}
	if len(read.Images) != 3 || read.Image("rhels9.4-x86_64-netboot-compute").Node != "cn001" || read.Image("test-1").Node != "" || read.Image("x").Node != "compute" {
		t.Errorf("images: %+v", read.Images)
	}
	if want := file + ":"; !bytes.Contains(stderr.Bytes(), []byte(want)) {
		t.Errorf("the password of the example is no reason for a warning: %s", stderr.String())
	}
}

// The host's own file is about the host's own site. One that somebody names is meant.
func TestFileOfTheHostIsNotAboutAnotherRoot(t *testing.T) {
	for _, c := range []struct {
		file, text, root string
		want             bool
	}{
		{defaultFile, "", "", true},
		{defaultFile, "", "/", true},
		{defaultFile, "", "/mnt", false},
		{defaultFile, "root: /mnt/", "/mnt", true},
		{defaultFile, "root: /mnt", "/other", false},
		{"/other.yaml", "", "/mnt", true},
	} {
		f := newSiteFlags()
		f.root, f.file = c.root, parsed(t, c.file, c.text+"\ncfgloc: SQLite:/x\nimages: {foo: {postscripts: n1}}\n")
		if got := f.isOfSite(); got != c.want || (f.location() != "") != c.want || (f.request("foo").Node != "") != c.want {
			t.Errorf("%+v: %v, location %q, request %+v", c, got, f.location(), f.request("foo"))
		}
	}
	f := newSiteFlags()
	if f.isOfSite() || f.location() != "" || f.request("foo").Node != "" {
		t.Error("without a file something is said")
	}
}

func parsed(t *testing.T, name, text string) *config.File {
	t.Helper()
	file, err := config.Parse(name, []byte(text), map[string]config.Kind{"root": config.Text, "cfgloc": config.Text})
	if err != nil {
		t.Fatal(err)
	}
	return file
}
