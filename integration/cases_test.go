package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const conformance = "testdata/conformance"

// recorded is one line of cases.json: a request that was made to imgexport on
// the site of site.tar.gz, and what this project does with it.
type recorded struct {
	Case    string   `json:"case"`
	Image   string   `json:"image"`
	Args    []string `json:"args"`
	Exit    int      `json:"exit"`
	Bundle  *string  `json:"bundle"` // the file that imgexport made, nil for none
	Verdict string   `json:"verdict"`
	Note    string   `json:"note"`
}

// expectation is what this project must answer to a recorded request.
type expectation struct {
	exit   int
	stdout string   // with "CWD" for the working directory; of a refusal, what it is a part of
	errors []string // "Error: ..." lines of imgexport, in order, byte for byte
	says   []phrase // lines of this project's own among them, in order
	bundle string   // file name, "" for none

	// What the bundle holds.
	manifest, litefile []byte
	members            []string // as in members.txt
	tree               []string // as in rootimgtree.txt
}

// phrase is a line of this project's own: how it starts and what it names.
// Such lines may be worded better without breaking a test.
type phrase struct {
	level string // "Error" or "Warning"
	names []string
}

// refused reports whether there is to be a message instead of a bundle
// although imgexport makes one.
func (c recorded) refused() bool { return c.Verdict == "refuse" }

// hasExtras reports whether the request has options that a mount cannot take.
func (c recorded) hasExtras() bool {
	return slices.Contains(c.Args, "-e") || slices.Contains(c.Args, "--extra")
}

// node is the noderange of -p, "" for none.
func (c recorded) node() string {
	if i := slices.Index(c.Args, "-p"); i >= 0 {
		return c.Args[i+1]
	}
	return ""
}

// exportArgs is the request as a command line of this project's export.
func (c recorded) exportArgs(site string, destination ...string) []string {
	args := []string{"export", "--root", site}
	if len(c.Args) == 0 {
		args = append(args, "--") // the name may look like an option
	}
	args = append(append(args, c.Image), destination...)
	return append(args, c.Args...)
}

// loadCases reads cases.json.
func loadCases(t *testing.T) []recorded {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(conformance, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []recorded
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// loadRecording reads what imgexport answered, as an expectation.
func loadRecording(c recorded) (*expectation, error) {
	dir := filepath.Join(conformance, "expect", c.Case)
	messages, err := os.ReadFile(filepath.Join(dir, "messages.txt"))
	if err != nil {
		return nil, err
	}
	e := &expectation{exit: c.Exit}
	e.readMessages(string(messages))
	if c.Bundle == nil {
		return e, nil
	}
	e.bundle = *c.Bundle
	if e.manifest, err = os.ReadFile(filepath.Join(dir, "manifest.xml")); err != nil {
		return nil, err
	}
	if e.litefile, err = readIfThere(filepath.Join(dir, "litefile.csv")); err != nil {
		return nil, err
	}
	if e.members, err = readLines(filepath.Join(dir, "members.txt")); err != nil {
		return nil, err
	}
	e.tree, err = readLines(filepath.Join(dir, "rootimgtree.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return e, err
}

// readMessages splits messages.txt into what goes to stdout and to stderr.
// The line about the temporary directory has no counterpart, and the kits,
// which imgexport takes in Perl's hash order, come sorted.
func (e *expectation) readMessages(text string) {
	var data, kits []string
	for _, message := range splitMessages(text) {
		kind, body, _ := strings.Cut(message, ": ")
		switch {
		case kind == "error":
			e.errors = append(e.errors, "Error: "+body)
		case kind != "data" || strings.HasPrefix(body, "Inside "):
		case strings.HasPrefix(body, "/install/kits/"):
			kits = append(kits, body)
		default:
			data = append(data, kits...) // what follows the kits
			kits = nil
			data = append(data, body)
		}
		slices.Sort(kits)
	}
	e.stdout = joinLines(append(data, kits...))
}

// splitMessages splits at lines that begin a message; a name with a newline
// makes a message of two lines.
func splitMessages(text string) []string {
	var messages []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		begins := strings.HasPrefix(line, "data: ") || strings.HasPrefix(line, "error: ") || strings.HasPrefix(line, "DIED ")
		if begins || len(messages) == 0 {
			messages = append(messages, line)
		} else {
			messages[len(messages)-1] += "\n" + line
		}
	}
	return messages
}

func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func readIfThere(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// readLines reads lines that end with a newline and nothing else, for a name
// or a target may end with blanks.
func readLines(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"), nil
}

// conformanceSite unpacks the recorded site once for all tests that only read
// it. As in any unpacked tarball, its files keep modes, owners and times.
func conformanceSite(t *testing.T) string {
	t.Helper()
	needRoot(t)
	dir, err := unpackedSite()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var unpackedSite = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "conformance-site")
	return dir, unpackSite(dir)
})

func unpackSite(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	archive, err := filepath.Abs(filepath.Join(conformance, "site.tar.gz"))
	if err != nil {
		return err
	}
	cmd := process{args: []string{"tar", "--numeric-owner", "-xpzf", archive, "-C", dir}}.command(context.Background())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("unpack the site: %w: %s", err, out)
	}
	return nil
}

func TestRecordingIsWhole(t *testing.T) {
	cases := loadCases(t)
	if len(cases) != 127 {
		t.Errorf("%d cases, want the 127 that were measured", len(cases))
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.Case] {
			t.Errorf("case %s is there twice", c.Case)
		}
		seen[c.Case] = true
		if _, err := loadRecording(c); err != nil {
			t.Errorf("case %s: %v", c.Case, err)
		}
	}
}

func TestRecordedMessagesAreSplit(t *testing.T) {
	var e expectation
	e.readMessages("data: Exporting a\nb to CWD...\ndata: /install/kits/z\ndata: /install/kits/a\nerror: no x\ndata: Inside TMP.\ndata: Done!\n")
	expectText(t, "stdout", e.stdout, "Exporting a\nb to CWD...\n/install/kits/a\n/install/kits/z\nDone!\n")
	expectLines(t, "errors", e.errors, []string{"Error: no x"})
}
