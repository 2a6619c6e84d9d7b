package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The list must not rot: every old text is still there, once.
func TestEveryMutantFitsTheCode(t *testing.T) {
	list, err := readLists("lists")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if _, err := m.changed("../.."); err != nil {
			t.Error(err)
		}
		for _, tests := range m.tests {
			if files, err := filepath.Glob(filepath.Join("../..", tests.pkg, "*_test.go")); err != nil || len(files) == 0 {
				t.Errorf("%s: %s has no tests, %v", m.at, tests.pkg, err)
			}
		}
	}
	if len(list) < 80 {
		t.Errorf("only %d mutants", len(list))
	}
}

func TestListsSayWhatIsWrongAndWhere(t *testing.T) {
	good := "# a comment\na/b.go: breaks\n- x\n-\n- y\n+ z\n\nb.go: also\ntests ./c -run ^TestX$\ntests ./d\n- x\n"
	list, err := parseList("l.txt", good)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d mutants, %v", len(list), err)
	}
	if m := list[0]; m.before != "x\n\ny" || m.after != "z" || len(m.tests) != 1 || m.tests[0] != (tests{"./a", ""}) || m.at != "l.txt:2" {
		t.Errorf("the first is %+v", m)
	}
	if m := list[1]; m.before != "x" || m.after != "" || len(m.tests) != 2 || m.tests[0] != (tests{"./c", "^TestX$"}) || m.tests[1] != (tests{"./d", ""}) {
		t.Errorf("the second is %+v", m)
	}
	list, err = parseList("l.txt", "tests ./e\n\na/b.go: breaks\n- x\n\nb.go: also\ntests ./c\n- x\n")
	if err != nil || len(list) != 2 || list[0].tests[0] != (tests{"./e", ""}) || len(list[1].tests) != 1 || list[1].tests[0] != (tests{"./c", ""}) {
		t.Errorf("with usual tests: %+v, %v", list, err)
	}
	for text, says := range map[string]string{
		"- x\n":                                   "l.txt:1: no mutant",
		"a.go\n- x\n":                             "l.txt:1: a mutant begins with",
		"a.go: b\n+ x\n":                          "l.txt:1: there is no old text",
		"a.go: b\n- x\n+ x\n":                     "l.txt:1: nothing changes",
		"a.go: b\n- x\n\nb.go: c\n":               "l.txt:4: there is no old text",
		"a.go: b\n- x\n\na.go: b\n- y\n+ z\n":     "is in the list at l.txt:1 too",
		"a.go: b\ntests ./x\n# - x\n\nc.go: d\n-": "l.txt:1: there is no old text",
	} {
		if _, err := parseList("l.txt", text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

// A small project is broken in each way that a mutant can come out.
func TestMutantsAreKilledSurviveOrDoNotCompile(t *testing.T) {
	root, temp := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module sums\n\ngo 1.26\n",
		"sum.go":      "package sums\n\nfunc sum(a, b int) int {\n\tfor range 0 {\n\t}\n\treturn a + b\n}\n\nfunc unused() int { return 1 }\n",
		"sum_test.go": "package sums\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif sum(1, 2) != 3 || unused() == 0 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := runner{root: root, temp: temp}
	own := []tests{{"./", ""}}
	limits := map[tests]time.Duration{own[0]: 20 * time.Second}
	for _, c := range []struct {
		before, after string
		want          outcome
		by            string
	}{
		{"a + b", "a - b", failed, "TestSum"},
		{"return 1", "return 2", passed, ""},
		{"a + b", "a + c", uncompiled, ""},
	} {
		m := mutant{file: "sum.go", before: c.before, after: c.after, tests: own}
		text, err := m.changed(root)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.try(m, text, limits)
		if err != nil || got.outcome != c.want || got.by != c.by {
			t.Errorf("%s: %s by %q, %v\n%s", c.after, got.outcome, got.by, err, got.output)
		}
	}
	m := mutant{file: "sum.go", before: "range 0", after: "", tests: own} // for ever
	text, err := m.changed(root)
	if err != nil {
		t.Fatal(err)
	}
	limits[own[0]] = time.Second
	if got, err := r.try(m, text, limits); err != nil || got.outcome != endless {
		t.Errorf("without an end: %s, %v\n%s", got.outcome, err, got.output)
	}
	if _, err := (mutant{file: "sum.go", before: "a", at: "l.txt:1"}).changed(root); err == nil || !strings.Contains(err.Error(), "must occur once") {
		t.Errorf("a text that occurs often: %v", err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 2 { // changed.go and overlay.json
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

func TestNineInTenAreEnough(t *testing.T) {
	r := newReport()
	m := mutant{file: "a/b.go", breaks: "x", at: "l.txt:1"}
	for range 8 {
		r.add(m, failed)
	}
	r.add(m, endless)
	if r.add(m, passed); !r.isGood() {
		t.Error("nine of ten are too few")
	}
	if r.add(m, passed); r.isGood() {
		t.Error("nine of eleven are enough")
	}
	if r.add(m, failed); r.isGood() {
		t.Error("ten of twelve are enough")
	}
	odd := newReport()
	odd.add(m, failed)
	if odd.add(m, uncompiled); odd.isGood() {
		t.Error("a mutant that does not compile is good")
	}
	var text strings.Builder
	r.print(&text)
	for _, part := range []string{"a ", "12", "10", "83 %", "survived: a/b.go: x (l.txt:1)"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("%q is not in\n%s", part, text.String())
		}
	}
}
