package noderange

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// fuzzedNodes have names that look like parts of a noderange.
var fuzzedNodes = nodesOf("n1:all", "n2:all,odd grp", "n3:g", "n10:g", "n01:pad", "n09:pad", "g:own", "rack1n1:rack1,all", "web-1:w", "web-2:w",
	"node10", "node13", "10", "f1n1", "f1n2", "f2n1", "a.b3:x", "a.b4:x", "n+1", "n[1]", "x)", "-n", "^f", "/n")

// FuzzExpand holds noderanges to this: an answer in a bounded time; nodes of the site only,
// each once and in order, or an error that names the noderange; a range that makes its
// names finds the same as one that looks at the site's; and the laws of sets.
func FuzzExpand(f *testing.F) {
	text, err := os.ReadFile("testdata/noderange.json")
	if err != nil {
		f.Fatal(err)
	}
	var sites []struct{ Answers map[string][]string }
	if err := json.Unmarshal(text, &sites); err != nil {
		f.Fatal(err)
	}
	for _, s := range sites {
		for noderange := range s.Answers {
			f.Add(noderange)
		}
	}
	for _, noderange := range []string{"n1-n3,-n2", "(all,g)@(g,n2)", "n[01-10]", "groups=~^w$", "/n.", "n1+9", "^/f", "10-13,-13", "n9+18446744073709551615", "n1-n18446744073709551615", "n[1-3][4-5]", "-n1@-n2", "[", "n[", "@", "(", ")", "((n1))", "n1@", "\"n1\"", "n01-n5", "/(n", "x==y", "n0x-n1x"} {
		f.Add(noderange)
	}
	wide := withMoreNames(fuzzedNodes)
	f.Fuzz(func(t *testing.T, noderange string) {
		began := time.Now()
		got, err := expandFuzzed(t, fuzzedNodes, noderange)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%.100q takes %v", noderange, took)
		}
		if err != nil {
			return
		}
		short, err := expandFuzzed(t, wide, noderange)
		short = slices.DeleteFunc(short, func(node string) bool { return strings.HasPrefix(node, "zz") })
		if err == nil && !slices.Equal(got, short) {
			t.Errorf("%q is %q by the site's names, and %q by its own", noderange, got, short)
		}
		expectLawsOfSets(t, noderange, got)
	})
}

// withMoreNames are the nodes, and so many others that ranges make their names.
func withMoreNames(n *Nodes) *Nodes {
	groups := map[string]string{}
	for node, list := range n.groupsText {
		groups[node] = list
	}
	for i := range 300 {
		groups[fmt.Sprintf("zz%dzz", i)] = ""
	}
	return NewNodes(groups)
}

// expandFuzzed expands a noderange, and looks at the answer by itself.
func expandFuzzed(t *testing.T, nodes *Nodes, noderange string) ([]string, error) {
	t.Helper()
	read := func(string, int64) ([]byte, error) { return []byte("n1\n# n2\n^/f\n-n3 x\n"), nil }
	got, _, err := nodes.Expand(noderange, Site{ReadFile: read})
	if err != nil {
		if shown := noderange[:min(len(noderange), shownMax)]; !strings.HasPrefix(err.Error(), "noderange "+shown) || got != nil {
			t.Errorf("%q is %q with the error %v", noderange, got, err)
		}
		return nil, err
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("%q is %q, which is not in order", noderange, got)
	}
	for _, node := range got {
		if _, found := slices.BinarySearch(nodes.names, node); !found {
			t.Errorf("%q is %q; the site has no %s", noderange, got, node)
		}
	}
	return got, nil
}

// expectLawsOfSets holds what is made of a noderange to the answer for it alone.
func expectLawsOfSets(t *testing.T, noderange string, got []string) {
	t.Helper()
	if strings.ContainsAny(noderange, `()[]/"'`) || strings.HasPrefix(noderange, "^") || strings.Contains(noderange, ",^") || strings.ContainsAny(noderange, "=!~") {
		return // where a comma or a parenthesis behind it could belong to it
	}
	for made, want := range map[string][]string{
		noderange + "," + noderange:          got,
		"(" + noderange + ")":                got,
		"(" + noderange + "),-" + "nosuch":   got,
		"(" + noderange + ")@(all,-all,n10)": intersection(got, []string{"n10"}),
	} {
		again, err := expandFuzzed(t, fuzzedNodes, made)
		if err != nil || !slices.Equal(again, want) {
			t.Errorf("%q is %q, and %q is %q, %v; want %q", noderange, got, made, again, err, want)
		}
	}
}

func intersection(a, b []string) (both []string) {
	for _, node := range a {
		if slices.Contains(b, node) {
			both = append(both, node)
		}
	}
	return both
}
