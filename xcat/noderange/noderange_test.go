package noderange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// nodesOf are the given nodes; groups follow a colon: "n1:g1,g2".
func nodesOf(nodes ...string) *Nodes {
	groups := map[string]string{}
	for _, n := range nodes {
		node, list, _ := strings.Cut(n, ":")
		groups[node] = list
	}
	return NewNodes(groups)
}

// noFile is what ReadFile says of a file that is not there.
func noFile(string, int64) ([]byte, error) { return nil, fs.ErrNotExist }

// TestAnswersOfXCAT compares with what xCAT's own commands answered.
func TestAnswersOfXCAT(t *testing.T) {
	text, err := os.ReadFile("testdata/noderange.json")
	if err != nil {
		t.Fatal(err)
	}
	var sites []struct {
		Site, ExcludeNodes string
		NodeList           map[string]string
		Answers            map[string][]string
	}
	if err := json.Unmarshal(text, &sites); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, s := range sites {
		nodes := NewNodes(s.NodeList)
		for noderange, want := range s.Answers {
			asked++
			got, _, err := nodes.Expand(noderange, Site{Excluded: s.ExcludeNodes, ReadFile: noFile})
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %q is %q, %v; xCAT says %q", s.Site, noderange, got, err, want)
			}
		}
	}
	if asked != 441 {
		t.Errorf("%d answers, want 441", asked)
	}
}

// What noderange(3) describes and the answers do not show.
func TestExpand(t *testing.T) {
	c := nodesOf("n1:all", "n2:all,odd grp", "n3:g", "n10:g", "n18", "n20", "n112", "n01:pad", "n09:pad", "g:own", "rack1n1:rack1",
		"web-1:w", "web-2:w", "web-3", "node10", "node13", "node15:node", "f1n1", "f1n2", "f2n1", "f2n2", "f3n1", "noGroups")
	for noderange, want := range map[string]string{
		"g":                              "g", // a node, though it is a group as well
		"odd grp":                        "n2",
		"rack1-rack3":                    "rack1n1",
		"rack[1-2],n3":                   "rack1n1 n3",
		"web-1-web-2":                    "web-1 web-2",
		"web-2+5":                        "web-2 web-3",
		"n01+8":                          "n01 n09",
		"n[01:10]":                       "n01 n09 n10",
		"n1:n3":                          "n1 n2 n3",
		"n[1-2]0":                        "n10 n18 n20",
		"n1[8-12]":                       "n18 n20 n112",
		"f[1-2]n[1-2]":                   "f1n1 f1n2 f2n1 f2n2",
		"f[1,3]n1":                       "f1n1 f3n1",
		"10-15,-13":                      "node10 node15",
		"10+3":                           "node10 node13",
		"/n.":                            "n1 n2 n3",
		"-n1,all":                        "n2",
		"all,-(n1,n3)":                   "n2",
		"(all,g)@(g,n2)":                 "g n2",
		"nodelist.groups==pad":           "n01 n09",
		"groups=~^w$,groups!~.":          "web-1 web-2 f1n1 f1n2 f2n1 f2n2 f3n1 n112 n18 n20 noGroups node10 node13 web-3",
		"n1-n" + strings.Repeat("9", 30): "n1 n10 n112 n18 n2 n20 n3",
		"^/nodes":                        "n1 n10 n2",
	} {
		read := func(string, int64) ([]byte, error) {
			return []byte("#comment\n\n  n1-n3 # three\n^/nodes\n-n3\nn10 n18\n"), nil
		}
		got, unknown, err := c.Expand(noderange, Site{ReadFile: read})
		wanted := strings.Fields(want)
		slices.Sort(wanted)
		if err != nil || !slices.Equal(got, wanted) || len(unknown) > 0 && !strings.Contains(noderange, "+") {
			t.Errorf("%q is %q, unknown %q, %v; want %q", noderange, got, unknown, err, wanted)
		}
	}
}

// A short range makes its names, and a long one looks at the site's. Both find the same.
func TestShortAndLongRangesAgree(t *testing.T) {
	names := []string{"n1", "n2", "n02", "n010", "n10", "n9:n11", "n011", "node3", "3", "node4", "5:x", "node6:7"}
	short := nodesOf(names...)
	for i := range 2000 {
		short.names = append(short.names, fmt.Sprintf("z%d", i))
	}
	long := nodesOf(names...)
	for _, noderange := range []string{"n1-n30", "n01-n30", "n001-n030", "n01-n100", "n8-n5", "n010-n5", "1-30", "01-30", "n1-n011", "n9+20", "n09+20"} {
		a, _, errA := short.Expand(noderange, Site{})
		b, _, errB := long.Expand(noderange, Site{})
		if errA != nil || errB != nil || !slices.Equal(a, b) {
			t.Errorf("%s: %q, %v and %q, %v", noderange, a, errA, b, errB)
		}
	}
}

// NODE+N counts at the end of the name, or at the first number with a dot behind it.
func TestPlus(t *testing.T) {
	c := nodesOf("n1", "n2", "n01x", "n02x", "n1.d3", "n2.d3", "10", "node10", "web-1-eth1", "web-1-eth2")
	for noderange, want := range map[string]string{
		"n1+1": "n1 n2", "n01x+1": "", "n1.d3+1": "n1.d3 n2.d3", "10+1": "node10", "web-1-eth1+9": "web-1-eth1 web-1-eth2", "n1+": "", "n+1": "", "n1+-1": "", "n1+99999999999999999999": "",
	} {
		got, _, err := c.Expand(noderange, Site{})
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %q", noderange, got, err, want)
		}
	}
}

func TestFirst(t *testing.T) {
	c := nodesOf("n1:all", "n10:all", "n2:all")
	for noderange, want := range map[string]string{"all": "n1", "n2,n10": "n10", "n2": "n2", "all,-n1": "n10"} {
		if got, unknown, err := c.First(noderange, Site{}); got != want || err != nil || unknown != nil {
			t.Errorf("First(%q) = %q, %q, %v; want %q", noderange, got, unknown, err, want)
		}
	}
	if got, _, err := c.First("all", Site{Excluded: "n1,n10"}); got != "n2" || err != nil {
		t.Errorf("the first that is not excluded is %q, %v", got, err)
	}
	for _, noderange := range []string{"nosuch", "", "n1"} {
		_, _, err := c.First(noderange, Site{Excluded: "n1"})
		if err == nil || err.Error() != "Unable to get postscripts, "+noderange+" is not a valide node." {
			t.Errorf("First(%q): %v", noderange, err)
		}
	}
}

func TestPartsThatStandForNoNodeAreNamed(t *testing.T) {
	c := nodesOf("n1:all", "n2:all")
	got, unknown, err := c.Expand("n1,nosuch, n2,-@all,n5-n9,^/gone", Site{ReadFile: noFile})
	if want := []string{"nosuch", " n2", "@all", "n5-n9", "^/gone"}; err != nil || !slices.Equal(got, []string{"n1"}) || !slices.Equal(unknown, want) {
		t.Errorf("got %q, unknown %q, %v; want unknown %q", got, unknown, err, want)
	}
}

func TestAPartThatCannotBeUnderstoodRefusesTheWhole(t *testing.T) {
	c := nodesOf("n1:all", "n2:all")
	s := Site{Dynamic: map[string]bool{"dyn1": true}, ReadFile: func(path string, limit int64) ([]byte, error) {
		if path == "/long" {
			return make([]byte, limit), nil
		}
		return nil, errors.New("permission denied")
	}}
	for part, says := range map[string]string{
		"dyn1":           "the group dyn1 is dynamic",
		"dyn[1-2]":       "the group dyn1 is dynamic",
		"(dyn1)":         "the group dyn1 is dynamic",
		"/(?=n)1":        "not supported",
		"groups=~(?!x)":  "not supported",
		"/n(":            "not supported",
		"os==rhels9":     "os==rhels9 selects by an attribute",
		"nodehm.mgt=~hm": "only groups can be used",
		"all@-n1":        "the dash behind @",
		"n[1-2][3-4]":    "without a letter",
		"n[1-2]0[3-4]":   "without a letter",
		"(n1":            "parentheses",
		"x(n1)":          "parentheses",
		"^/secret":       "^/secret: permission denied",
		"^/long":         "longer than",
		"n05-n03":        "goes down",
		strings.Repeat("(", 50) + "n1" + strings.Repeat(")", 50): "nested",
	} {
		for _, noderange := range []string{part, "n1," + part, "n1,-" + part} {
			if strings.HasPrefix(part, "^") && strings.Contains(noderange, "-^") {
				continue // no file there
			}
			got, _, err := c.First(noderange, s)
			if err == nil || !strings.Contains(err.Error(), says) || got != "" {
				t.Errorf("%q is %q, %v; want an error with %q", noderange, got, err, says)
			}
		}
	}
	if _, _, err := c.First("n1,^/f", Site{}); err == nil || !strings.Contains(err.Error(), "-p only") {
		t.Errorf("without ReadFile: %v", err)
	}
	if _, _, err := c.First("n1", Site{Excluded: "dyn1", Dynamic: s.Dynamic}); err == nil || !strings.Contains(err.Error(), "site.excludenodes") {
		t.Errorf("excludenodes: %v", err)
	}
}

func TestANoderangeTakesBoundedTime(t *testing.T) {
	var names []string
	for i := range 5_000 {
		names = append(names, fmt.Sprintf("n%d:all", i))
	}
	c := nodesOf(names...)
	for _, noderange := range []string{
		strings.Repeat("n1-n5,", 20_000),
		strings.Repeat("n1-n999999,", 20_000),
		strings.Repeat("n[0-9]", 1000),
		"n" + strings.Repeat("[0-9,00-99,0-999999]", 1000),
		"n0-n" + strings.Repeat("9", 100_000),
		strings.Repeat("(", 100_000),
		strings.Repeat("/n(.?.?.?.?.?){50}x,", 1000),
		"/" + strings.Repeat("(n?.{0,100})", 500),
		strings.Repeat("all@", 300) + "all",
		strings.Repeat("-", 100_001),
		"n[" + strings.Repeat("1,", 100_000) + "]",
		strings.Repeat("x,", 100_000),
	} {
		began := time.Now()
		_, _, err := c.Expand(noderange, Site{})
		if took := time.Since(began); took > 2*time.Minute { // 2 s, and 30 under the race detector on a busy machine
			t.Errorf("%.40s...: %v, %.100v", noderange, took, err)
		}
	}
}
