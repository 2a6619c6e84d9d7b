package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dump writes what tabdump wrote of the same rows: from PostgreSQL byte for
// byte, from MariaDB with the rows in the order of their keys, in which it keeps
// them, and with Latin-1 as UTF-8.
func testDBDump(t *testing.T, s dbServer) {
	root := conformanceSite(t)
	loadSite(t, s, "dump", root)
	dir := filepath.Join(t.TempDir(), "backup")
	r := program(t, t.TempDir(), "dump", "--root", root, "--cfgloc", s.cfgloc("dump"), dir)
	expectCode(t, r, 0)
	want := make([]string, len(dbTables))
	for i, name := range dbTables {
		want[i] = name + ".csv"
		got, err := os.ReadFile(filepath.Join(dir, want[i]))
		must(t, err)
		recorded := []byte("#groupname,grouptype,members,membergroups,wherevals,comments,disable\n") // nodegroup, of which nothing was recorded
		if name != "nodegroup" {
			recorded, err = os.ReadFile(filepath.Join(conformance, "tabdump", want[i]))
			must(t, err)
		}
		if s.name() == "PostgreSQL" {
			expectText(t, name, string(got), string(recorded))
		} else {
			recorded = bytes.ReplaceAll(recorded, []byte("latin1 \xe9 end"), []byte("latin1 é end"))
			expectLines(t, name, sortedLines(got), sortedLines(recorded))
		}
	}
	slices.Sort(want)
	expectLines(t, "files", listing(t, dir), want)
	expectText(t, "modes", run(t, "find", dir, "-not", "-perm", "600", "-type", "f"), "")
}

func sortedLines(text []byte) []string {
	lines := strings.Split(string(text), "\n")
	slices.Sort(lines)
	return lines
}
