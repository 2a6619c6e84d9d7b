// Package layers holds the project's folders to the table of who may import
// whom: bytes are made in bundle alone, SQL is spoken in xcat/db alone, FUSE in
// fs alone, and text forms of rows are written in tablesdump alone.
package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the path of this project's own packages.
const module = "imgexportfs/"

// mayImport says for each folder which other folders it may import.
var mayImport = map[string][]string{
	"cmd/imgexportfs":        {"fs", "bundle", "bundle/source", "bundle/verify", "cmd/imgexportfs/config", "xcat", "tablesdump"},
	"cmd/imgexportfs/config": {},
	"fs":                     {"fs/metrics", "bundle", "bundle/blocks", "bundle/source", "xcat", "integration/xcatsite"}, // the last one in tests
	"fs/metrics":             {"bundle", "bundle/disk", "xcat"},                                                          // disk in tests
	"xcat":                   {"xcat/db", "xcat/noderange", "bundle", "bundle/source", "tablesdump"},
	"xcat/db":                {"bundle/source", "tablesdump"},
	"xcat/noderange":         {},
	"bundle":                 {"bundle/blocks", "bundle/disk", "bundle/index", "bundle/source"},
	"bundle/blocks":          {},
	"bundle/disk":            {"bundle/blocks"},
	"bundle/index":           {"bundle/blocks"},
	"bundle/source":          {},
	"bundle/verify":          {"bundle"},
	"tablesdump":             {},
	"integration":            {"fs", "bundle", "bundle/blocks", "bundle/source", "xcat", "tablesdump", "integration/faultfs", "integration/xcatsite"},
	"integration/bench":      {"integration/xcatsite"},
	"integration/demo":       {"integration/xcatsite"},
	"integration/faultfs":    {},
	"integration/layers":     {},
	"integration/mutants":    {},
	"integration/xcatsite":   {},
	"packaging":              {},
	"packaging/notices":      {},
	"packaging/sbom":         {},
}

// onlyIn says in which folders a library may be used at all; integration and
// what is below it may use any.
var onlyIn = map[string][]string{
	"database/sql":                   {"xcat/db"},
	"modernc.org/":                   {"xcat/db"},
	"github.com/go-sql-driver/":      {"xcat/db"},
	"github.com/jackc/":              {"xcat/db"},
	"github.com/hanwen/go-fuse/":     {"fs"},
	"github.com/prometheus/":         {"fs/metrics"},
	"github.com/urfave/cli/":         {"cmd/imgexportfs"},
	"github.com/spf13/pflag":         {"cmd/imgexportfs"},
	"github.com/schollz/progressbar": {"cmd/imgexportfs"},
	"go.yaml.in/yaml/":               {"cmd/imgexportfs/config", "cmd/imgexportfs"},
	"archive/tar":                    {"bundle", "bundle/verify"},
	"github.com/klauspost/":          {"bundle", "bundle/verify"},
	"encoding/xml":                   {"tablesdump", "bundle/verify"},
	"C":                              {}, // one static binary: no cgo
}

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// listPackages asks the go tool for every package of the module.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// TestFoldersImportOnlyWhatIsBelow also holds for tests, except that a test
// may read with any library what its package writes.
func TestFoldersImportOnlyWhatIsBelow(t *testing.T) {
	packages := listPackages(t)
	if len(packages) < 5 {
		t.Fatalf("go list finds only %d packages", len(packages))
	}
	for _, p := range packages {
		folder := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := mayImport[folder]
		if !known {
			t.Errorf("folder %s is not in the table of who may import whom", folder)
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if other, ours := strings.CutPrefix(imported, module); ours && other != folder && !slices.Contains(allowed, other) {
				t.Errorf("%s imports %s, which the table forbids", folder, other)
			}
		}
		if strings.HasPrefix(folder, "integration") {
			continue
		}
		for _, imported := range p.Imports {
			holdLibrary(t, folder, imported)
		}
	}
}

func holdLibrary(t *testing.T, folder, imported string) {
	t.Helper()
	for library, folders := range onlyIn {
		if strings.HasPrefix(imported, library) && (library != "C" || imported == "C") && !slices.Contains(folders, folder) {
			t.Errorf("%s imports %s, which only %v may", folder, imported, folders)
		}
	}
}
