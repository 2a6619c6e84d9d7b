package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A document is README.md or a file of docs/.
type document struct {
	name string // from the top of the repository
	text string
}

func documents(t *testing.T) (all []document) {
	t.Helper()
	names, err := filepath.Glob("../docs/*.md")
	must(t, err)
	for _, name := range append(names, "../README.md") {
		text, err := os.ReadFile(name)
		must(t, err)
		all = append(all, document{strings.TrimPrefix(filepath.ToSlash(name), "../"), string(text)})
	}
	if len(all) < 5 {
		t.Fatalf("only %d documents are found", len(all))
	}
	return all
}

var (
	fencedCode = regexp.MustCompile("(?ms)^ *```[a-z]*\n(.*?)^ *```")
	codeSpan   = regexp.MustCompile("`([^`\n]+(?:\n[^`\n]+)?)`")
	indented   = regexp.MustCompile(`(?m)^ {4}.*$`)
)

// prose is the text without blocks of code.
func (d document) prose() string {
	return indented.ReplaceAllString(fencedCode.ReplaceAllString(d.text, ""), "")
}

// spans are the pieces of code in the prose, each on one line.
func (d document) spans() (list []string) {
	for _, found := range codeSpan.FindAllStringSubmatch(d.prose(), -1) {
		list = append(list, strings.ReplaceAll(strings.ReplaceAll(found[1], "\n", " "), `\|`, "|"))
	}
	return list
}

// code is all code: blocks, and spans with a line for each.
func (d document) code() string {
	var b strings.Builder
	for _, found := range fencedCode.FindAllStringSubmatch(d.text, -1) {
		b.WriteString(found[1])
	}
	for _, line := range indented.FindAllString(fencedCode.ReplaceAllString(d.text, ""), -1) {
		b.WriteString(line + "\n")
	}
	return b.String() + strings.Join(d.spans(), "\n")
}

// anchors are the names by which headings are linked to.
func (d document) anchors() (list []string) {
	for _, found := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(fencedCode.ReplaceAllString(d.text, ""), -1) {
		name := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(found[1]), "")
		list = append(list, strings.ReplaceAll(name, " ", "-"))
	}
	return list
}

// Links of the documents lead to files and headings that exist.
func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	all, links := documents(t), 0
	byName := map[string]document{}
	for _, d := range all {
		byName[d.name] = d
	}
	for _, d := range all {
		for _, found := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(d.prose(), -1) {
			links++
			if strings.Contains(found[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(found[1], "#")
			to := d.name
			if file != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(d.name), file))
			}
			if _, err := os.Stat(filepath.Join("..", to)); err != nil {
				t.Errorf("%s has a link to %s: %v", d.name, found[1], err)
			}
			if anchor != "" && !slices.Contains(byName[to].anchors(), anchor) {
				t.Errorf("%s has a link to %s: the headings are %q", d.name, found[1], byName[to].anchors())
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links are found", links)
	}
}

// Every document is linked to by another one.
func TestDocumentsAreFoundByLinks(t *testing.T) {
	all := documents(t)
	for _, d := range all {
		if d.name == "README.md" {
			continue
		}
		linked := slices.ContainsFunc(all, func(other document) bool {
			return other.name != d.name && regexp.MustCompile(`\b`+regexp.QuoteMeta(filepath.Base(d.name))+`\b`).MatchString(other.text)
		})
		if !linked {
			t.Errorf("no document names %s", d.name)
		}
	}
}

// Files, tests, make's targets and variables of the environment that the documents name
// exist.
func TestDocumentsNameWhatExists(t *testing.T) {
	sources := sourceText(t)
	for _, d := range documents(t) {
		for _, span := range d.spans() {
			if regexp.MustCompile(`^(docs|packaging|integration|cmd|fs|xcat|bundle|tablesdump)/[\w./@*-]+$`).MatchString(span) {
				if files, err := filepath.Glob("../" + span); err != nil || len(files) == 0 {
					t.Errorf("%s names %s, and there is no such file", d.name, span)
				}
			}
		}
		for _, test := range regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(d.text, -1) {
			if !strings.Contains(sources, "func "+test+"(") {
				t.Errorf("%s names %s, and there is no such test", d.name, test)
			}
		}
		for _, found := range regexp.MustCompile(`(?m)(?:^|&& )make ([a-z-]+)`).FindAllStringSubmatch(d.code(), -1) {
			if !strings.Contains(sources, "\n"+found[1]+":") {
				t.Errorf("%s names make %s, and there is no such target", d.name, found[1])
			}
		}
		for _, variable := range regexp.MustCompile(`\bIMGEXPORTFS_[A-Z_]+`).FindAllString(d.text, -1) {
			if !strings.Contains(sources, variable) {
				t.Errorf("%s names the variable %s, and nothing reads it", d.name, variable)
			}
		}
	}
}

// sourceText is all of the Go files and the Makefile.
func sourceText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../Makefile")
	must(t, err)
	all := []string{string(text)}
	must(t, filepath.WalkDir("..", func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".go" || filepath.Base(name) == "docs_test.go" {
			return nil
		}
		text, err := os.ReadFile(name)
		all = append(all, string(text))
		return err
	}))
	return strings.Join(all, "\n")
}
