// Package packaging tests what can be told of the packages without making them; make
// package-test makes, installs and boots them.
package packaging

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
)

// run is the standard output of a command that must succeed, in dir.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v: %s%s", args, err, out, stderr.String())
	}
	return string(out)
}

// program is the program, built once for all tests. It is built as for the other tests, so
// that not all that it is made of is compiled again, as with -trimpath.
var program = sync.OnceValues(func() (string, error) {
	file := filepath.Join(scratch, "imgexportfs")
	cmd := exec.Command("go", "build", "-ldflags", "-s -w -X main.version=1.2.3", "-o", file, "../cmd/imgexportfs")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return file, cmd.Run()
})

var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "imgexportfs-packaging-")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func built(t *testing.T) string {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// content is an entry of nfpm.yaml.
type content struct {
	Type, Packager string
	From           string `yaml:"src"`
	To             string `yaml:"dst"`
}

// readContents is the list of nfpm.yaml.
func readContents(t *testing.T) []content {
	t.Helper()
	text, err := os.ReadFile("nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ Contents []content }
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	return config.Contents
}

// onlyPackaged is what package.sh makes beside make install.
var onlyPackaged = []string{"root/usr/share/doc/imgexportfs/third-party-licenses.txt", "copyright"}

// Each package takes every file that make install installs to the place where it is
// installed, and nothing that is not there.
func TestPackagesHoldWhatIsInstalled(t *testing.T) {
	installed := t.TempDir()
	run(t, "..", "make", "-s", "install", "BINARY="+built(t), "DESTDIR="+installed, "PREFIX=/usr")
	for _, packager := range []string{"deb", "rpm"} {
		left := tree(t, installed)
		for _, c := range readContents(t) {
			if c.Packager != "" && c.Packager != packager || slices.Contains(onlyPackaged, c.From) {
				continue
			}
			take(t, left, c)
		}
		for path := range left {
			t.Errorf("%s: %s is installed, and in no package", packager, path)
		}
	}
}

// tree has every file below dir by its path in the host, and where it leads if it is a link.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, dir)
		if strings.Contains(name, "/man/") {
			name += ".gz"
		}
		if d.Type() == fs.ModeSymlink {
			files[name], err = os.Readlink(path)
			return err
		}
		files[name] = ""
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// take removes from the installed files what an entry packs.
func take(t *testing.T, left map[string]string, c content) {
	t.Helper()
	from := strings.TrimPrefix(c.From, "root")
	switch to, there := left[from]; {
	case c.Type == "symlink":
		if target := left[c.To]; target != c.From {
			t.Errorf("%s leads to %q in the package, and to %q where it is installed", c.To, c.From, target)
		}
		delete(left, c.To)
	case c.Type == "dir":
		// It has no file of its own.
	case c.Type == "tree":
		for path := range left {
			if strings.HasPrefix(path, from+"/") {
				delete(left, path)
			}
		}
	case strings.HasPrefix(c.Type, "config"):
		// The example has two places, and the tree of documents takes the other one.
	case !there || to != "":
		t.Errorf("%s is packed, and not installed as a file", from)
	case c.To != from && c.Packager == "":
		t.Errorf("%s is packed as %s", from, c.To)
	default:
		delete(left, from)
	}
}

// The bill of materials names the modules that the program needs, in their versions, and
// each of them has a license.
func TestBillNamesWhatIsLinked(t *testing.T) {
	bill := run(t, ".", "go", "run", "./sbom", "-version", "1.2.3", built(t))
	named := regexp.MustCompile(`"purl": "pkg:golang/(.*)@(.*)"`).FindAllStringSubmatch(bill, -1)
	got := map[string]bool{}
	for _, m := range named {
		if m[1] != "std" {
			got[m[1]+" "+m[2]] = true
		}
	}
	want := strings.Fields(run(t, "..", "env", "CGO_ENABLED=0", "go", "list", "-deps", "-f",
		"{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}{{end}}{{end}}", "./cmd/imgexportfs"))
	slices.Sort(want)
	want = slices.Compact(want)
	licenses := run(t, ".", "go", "run", "./notices", built(t))
	for _, module := range want {
		module = strings.Replace(module, "@", " ", 1)
		if !got[strings.ToLower(module)] {
			t.Errorf("%s is not in the bill", module)
		}
		if !strings.Contains(licenses, "\n==== "+module+": ") {
			t.Errorf("the licenses lack %s", module)
		}
	}
	if len(got) != len(want) || len(want) < 10 {
		t.Errorf("the bill has %d modules, the program %d", len(got), len(want))
	}
	if !strings.HasPrefix(licenses, "==== Go go1.") {
		t.Errorf("the license of Go is not there: %.40q", licenses)
	}
}

// What a person is told to type is in README, where the test of the packages looks for it.
func TestReadmeHasWhatIsTyped(t *testing.T) {
	script, err := os.ReadFile("test/boot.sh")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	calls := regexp.MustCompile(`stranger\.sh README\.md (.*)`).FindAllStringSubmatch(string(script), -1)
	if len(calls) == 0 {
		t.Error("nothing is typed")
	}
	for _, call := range calls {
		for _, heading := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(call[1], -1) {
			_, below, there := strings.Cut(string(readme), "\n### "+heading[1]+"\n")
			below, _, _ = strings.Cut(below, "\n#")
			if !there || !strings.Contains(below, "\n```\n") {
				t.Errorf("README has no code below %q", heading[1])
			}
		}
	}
}
