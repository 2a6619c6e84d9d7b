package xcat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"imgexportfs/bundle"
)

// conformanceDir holds what imgexport made of a site; RULES.md in it says how
// the files read.
const conformanceDir = "../integration/testdata/conformance"

// conformanceCase is one run of imgexport.
type conformanceCase struct {
	Case    string
	Image   string
	Args    []string
	Exit    int
	Bundle  *string
	Verdict string
}

// outcome is what a case is compared by: lines of text.
type outcome struct {
	messages []string // "data: ", "error: " or "warning: " before the text
	manifest string
	litefile string
	members  []string
	refused  bool
}

// TestConformance holds every case against what imgexport did, by verdict:
// "same" must be equal, "fixed" must differ as deviations says, and "refuse"
// must say the lines of refusals and make no bundle.
func TestConformance(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the site holds device nodes, and only root can make those")
	}
	root := unpackSite(t)
	site, err := OpenSite(t.Context(), Config{Root: root, Getenv: noEnv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	cases := readCases(t)
	if len(cases) != 127 {
		t.Fatalf("%d cases, want 127", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Case, func(t *testing.T) { checkCase(t, site, c) })
	}
}

func checkCase(t *testing.T, site *Site, c conformanceCase) {
	catalog, err := site.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := catalog.Export(t.Context(), site.Root(), c.request(t))
	if err != nil {
		t.Fatal(err)
	}
	got := outcomeOf(t, e)
	want := c.expected(t)
	change, deviates := deviations[c.Case]
	switch c.Verdict {
	case "same":
		if deviates {
			t.Fatal("a deviation for a case that must be the same")
		}
		if add, says := problemLines[c.Case]; says {
			add(&want)
		}
	case "fixed":
		if !deviates {
			t.Fatal("a fixed case without a deviation")
		}
		change(&want)
	case "refuse":
		refused, listed := refusals[c.Case]
		if !listed {
			t.Fatal("a refused case without the lines that it must say")
		}
		want = outcome{messages: refused, refused: true}
	default:
		t.Fatalf("verdict %q", c.Verdict)
	}
	compare(t, got, want)
}

// request turns the arguments of the command line into a request.
func (c conformanceCase) request(t *testing.T) Request {
	req := Request{Image: c.Image, Destination: "CWD"}
	for i := 0; i+1 < len(c.Args); i += 2 {
		switch c.Args[i] {
		case "-e", "--extra":
			req.Extras = append(req.Extras, c.Args[i+1])
		case "-p":
			req.Node = c.Args[i+1]
		default:
			t.Fatalf("argument %q", c.Args[i])
		}
	}
	return req
}

// expected reads what imgexport did.
func (c conformanceCase) expected(t *testing.T) outcome {
	dir := filepath.Join(conformanceDir, "expect", c.Case)
	o := outcome{
		manifest: readIfThere(t, filepath.Join(dir, "manifest.xml")),
		litefile: readIfThere(t, filepath.Join(dir, "litefile.csv")),
		refused:  c.Bundle == nil,
	}
	for _, line := range messageLines(readIfThere(t, filepath.Join(dir, "messages.txt"))) {
		if line != "data: Inside TMP." && line != "data: Done!" {
			o.messages = append(o.messages, line)
		}
	}
	for line := range strings.Lines(readIfThere(t, filepath.Join(dir, "members.txt"))) {
		line = strings.TrimSuffix(line, "\n")
		mode, name, _ := strings.Cut(line, " ")
		rest, inside := strings.CutPrefix(name, "./"+BundleName(c.Image)+"/")
		if !inside { // the top directory and the one around it are the bundle's
			continue
		}
		// These two are compared by their bytes.
		if strings.HasPrefix(rest, "manifest.xml ") || strings.HasPrefix(rest, "litefile.csv ") {
			rest = strings.Fields(rest)[0]
		}
		o.members = append(o.members, mode+" "+rest)
	}
	sort.Strings(o.members)
	sortKitDirs(o.messages)
	return o
}

// messageLines splits messages.txt at the lines that begin a message: a
// message may hold a newline.
func messageLines(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		begins := strings.HasPrefix(line, "data: ") || strings.HasPrefix(line, "error: ")
		if begins || len(lines) == 0 {
			lines = append(lines, line)
		} else {
			lines[len(lines)-1] += "\n" + line
		}
	}
	return lines
}

// outcomeOf describes an export as expected describes imgexport's.
func outcomeOf(t *testing.T, e *Export) outcome {
	o := outcome{refused: e.Refused}
	for _, m := range e.Messages {
		o.messages = append(o.messages, []string{"data: ", "error: ", "warning: "}[m.Level]+m.Text)
	}
	for _, m := range e.Members {
		o.members = append(o.members, memberLine(t, m))
		switch m.Name {
		case bundle.Manifest:
			o.manifest = string(contentOf(t, m.Content))
		case "litefile.csv":
			o.litefile = string(contentOf(t, m.Content))
		}
	}
	sort.Strings(o.members)
	sortKitDirs(o.messages)
	return o
}

func memberLine(t *testing.T, m bundle.Member) string {
	switch m.Kind {
	case bundle.Directory:
		return fmt.Sprintf("%04o %s dir", m.Perm, m.Name)
	case bundle.Symlink:
		return fmt.Sprintf("- %s -> %s", m.Name, m.Target)
	}
	switch m.Name {
	case bundle.Manifest, "litefile.csv":
		return fmt.Sprintf("%04o %s", m.Perm, m.Name)
	case "rootimgtree.gz":
		return fmt.Sprintf("%04o %s generated", m.Perm, m.Name)
	}
	sum := sha256.Sum256(contentOf(t, m.Content))
	return fmt.Sprintf("%04o %s sha256:%s size:%d", m.Perm, m.Name, hex.EncodeToString(sum[:])[:16], m.Content.Size())
}

func contentOf(t *testing.T, c bundle.Content) []byte {
	b := make([]byte, c.Size())
	if _, err := c.ReadAt(b, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return b
}

func compare(t *testing.T, got, want outcome) {
	t.Helper()
	if got.refused != want.refused {
		t.Errorf("refused: %v, want %v", got.refused, want.refused)
	}
	compareLines(t, "messages", got.messages, want.messages)
	if want.refused {
		return
	}
	compareLines(t, "members", got.members, want.members)
	compareLines(t, "manifest.xml", strings.Split(got.manifest, "\n"), strings.Split(want.manifest, "\n"))
	compareLines(t, "litefile.csv", strings.Split(got.litefile, "\n"), strings.Split(want.litefile, "\n"))
}

func compareLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// sortKitDirs puts the lines of kit directories, which stand in a row and in
// no order, into byte order.
func sortKitDirs(messages []string) {
	isKit := func(line string) bool { return strings.HasPrefix(line, "data: /install/kits/") }
	first := slices.IndexFunc(messages, isKit)
	if first < 0 {
		return
	}
	end := first
	for end < len(messages) && isKit(messages[end]) {
		end++
	}
	sort.Strings(messages[first:end])
}

// unpackSite unpacks the site that the cases ran on and returns its root.
func unpackSite(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	out, err := exec.Command("tar", "xzpf", filepath.Join(conformanceDir, "site.tar.gz"), "-C", root).CombinedOutput()
	if err != nil {
		t.Fatalf("unpack the site: %v: %s", err, out)
	}
	return root
}

func readCases(t *testing.T) []conformanceCase {
	text, err := os.ReadFile(filepath.Join(conformanceDir, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []conformanceCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func readIfThere(t *testing.T, name string) string {
	text, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}
