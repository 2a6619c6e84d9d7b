package noderange

import (
	"strings"
	"testing"
)

// nodesOf are the given nodes; groups follow a colon: "n1:g1,g2".
func nodesOf(nodes ...string) *Nodes {
	groups := map[string][]string{}
	for _, n := range nodes {
		node, list, _ := strings.Cut(n, ":")
		groups[node] = strings.Split(list, ",")
	}
	return NewNodes(groups)
}

func TestFirst(t *testing.T) {
	c := nodesOf("n1:all", "n2:all,odd grp", "n3:g", "n10:g", "n01:pad", "n09:pad", "n10x:s", "my-node:dash", "web-1-eth:w", "web-2-eth:w", "g:own", "r1n5:r")
	for noderange, want := range map[string]string{
		"n2":                       "n2",
		"all":                      "n1",
		"g":                        "g", // a node, though it is a group as well
		"pad":                      "n01",
		"odd grp":                  "n2",
		"n3,n2":                    "n2",
		"nosuch,n3":                "n3",
		",n3,":                     "n3",
		"n2-n9":                    "n2",
		"n4-n10":                   "n10",
		"n02-n10":                  "n09", // n10 too, but n09 comes first
		"n05-n20":                  "n09",
		"n[2-3]":                   "n2",
		"n[02-10]":                 "n09",
		"n[7,3]":                   "n3",
		"n[7-8,10]":                "n10",
		"n[10]x":                   "n10x",
		"my-node":                  "my-node",
		"web-2-eth-web-3-eth":      "web-2-eth",
		"r1n1-r1n9":                "r1n5",
		"n1-n99999999999999999":    "n1",
		"n[1-4],n01":               "n01",
		"n0-n0,n3-n3":              "n3",
		"n[0000000000000000003],g": "g",
	} {
		got, err := c.First(noderange)
		if err != nil || got != want {
			t.Errorf("First(%q) = %q, %v; want %q", noderange, got, err, want)
		}
	}
}

func TestFirstOfNoNodeSaysWhatImgexportSays(t *testing.T) {
	c := nodesOf("n1", "n5")
	for _, noderange := range []string{
		"nosuch", "n9-n1", "n2-n4", "n[2-4]", "", ",", "n[1", "n]1[", "n[a-b]", "n[-]", "n[]", "n1-x5", "n1-", "a-b-c",
		"n[1-4]-n[5-6]", "n18446744073709551616-n18446744073709551617", "n[1][5]", "N1", "n 1",
	} {
		_, err := c.First(noderange)
		if err == nil || err.Error() != "Unable to get postscripts, "+noderange+" is not a valide node." {
			t.Errorf("First(%q): %v", noderange, err)
		}
	}
}

func TestFirstNamesTheFormsThatItDoesNotKnow(t *testing.T) {
	c := nodesOf("n1:all")
	for noderange, form := range map[string]string{
		"all,-n1": "-exclusion", "/n.*": "/regular expression", "~n.*": "~regular expression", "^/tmp/nodes": "^file",
		"@all": "@group", "all@rack": "group@group", "n1+3": "node+number", "n1:n4": "node:node",
	} {
		_, err := c.First(noderange)
		if err == nil || !strings.Contains(err.Error(), "noderange form "+form+" is not supported") {
			t.Errorf("First(%q): %v, want one that names %s", noderange, err, form)
		}
	}
}
