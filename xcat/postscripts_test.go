package xcat

import (
	"os"
	"strings"
	"testing"

	"imgexportfs/bundle"
)

func TestNodeAttribute(t *testing.T) {
	tables := func(hierarchical string, rows ...Row) *Catalog {
		return newCatalog(tablesOf(map[string][]Row{
			"nodelist":    {{"node": "n", "groups": "g1,g2,g3"}, {"node": "alone"}},
			"postscripts": rows,
			"site":        {{"key": "hierarchicalattrs", "value": hierarchical}},
		}))
	}
	own := Row{"node": "n", "postscripts": "a,b"}
	g1 := Row{"node": "g1", "postbootscripts": "pb"}
	g2 := Row{"node": "g2", "postscripts": "b,c"}
	g3 := Row{"node": "g3", "postscripts": "d"}
	next := func(node, value string) Row { return Row{"node": node, "postscripts": value + "+=NEXTRECORD"} }
	hidden := Row{"node": "g2", "postscripts": "x", "disable": "1"}
	for name, c := range map[string]struct {
		catalog *Catalog
		want    string
	}{
		"the node's own":                      {tables("", own, g2), "a,b"},
		"the first group that has one":        {tables("", g1, g2, g3), "b,c"},
		"a disabled row does not":             {tables("", hidden, g3), "d"},
		"none":                                {tables("", g1), ""},
		"hierarchical":                        {tables("postscripts", own, g2, g3), "a,b,c,d"},
		"hierarchical, delimiter":             {tables("x:|,postscripts:;", own, g2, g3), "a,b;b,c;d"},
		"hierarchical, blanks":                {tables("x, postscripts", own, g2), "a,b,c"},
		"hierarchical, blanks around":         {tables(" postscripts :\t; ", own, g2), "a,b;b,c"},
		"hierarchical, blank for a delimiter": {tables("postscripts: ", own, g2), "a,b,c"},
		"next record":                         {tables("", next("n", "a,"), next("g1", "b,"), g2, g3), "a,b,b,c"},
		"next record of groups":               {tables("", next("g1", "a,"), g2, g3), "a,b,c"},
		"next record without a next":          {tables("", next("n", "a,")), "a,"},
		"next record inside a value":          {tables("", Row{"node": "n", "postscripts": "a+=NEXTRECORD,b"}, g2), "a,b"},
		"next record skips others":            {tables("", next("n", "a,"), g1, g3), "a,d"},
		"next record, hierarchical":           {tables("postscripts", next("n", "a"), next("g2", "b"), g3), "a,b,d"},
		"hierarchical elsewhere":              {tables("postbootscripts", own, g2), "a,b"},
		"hierarchical, groups alone":          {tables("postscripts", g2, g3), "b,c,d"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.catalog.nodeAttribute("n", "postscripts"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := tables("postscripts", g2).nodeAttribute("alone", "postscripts"); got != "" {
		t.Errorf("a node without groups has %q", got)
	}
}

func TestPostscriptsThatCannotBeComputedRefuseTheExport(t *testing.T) {
	s := newTestSite(t)
	s.image("i", nil)
	s.insert("nodelist", Row{"node": "n1"})
	s.insert("postscripts", Row{"node": "n1", "postscripts": "|(a2idx('b'))|", "postbootscripts": "/^x/y/"})
	e := s.export(Request{Image: "i", Node: "n1"})
	problems := strings.Join(texts(e.Problems()), "\n")
	for _, part := range []string{"Error: Node n1, table postscripts, column postscripts, value |(a2idx('b'))|", "Warning: Node n1, table postscripts, column postbootscripts"} {
		if !strings.Contains(problems, part) {
			t.Errorf("problems\n%s\nlack %q", problems, part)
		}
	}
	if !e.Refused {
		t.Error("the export is not refused")
	}
	if e := s.export(Request{Image: "i"}); e.Refused || len(e.Problems()) != 0 {
		t.Errorf("without -p: refused %v, %q", e.Refused, e.Problems())
	}
}

// nodeSite is a site of three nodes, whose postscripts are their names.
func nodeSite(t *testing.T) *testSite {
	s := newTestSite(t)
	s.image("i", nil)
	for _, node := range []string{"n1", "n2", "n3"} {
		s.insert("nodelist", Row{"node": node, "groups": "all"})
		s.insert("postscripts", Row{"node": node, "postscripts": "of-" + node})
	}
	s.insert("nodegroup", Row{"groupname": "dyn", "grouptype": "dynamic", "wherevals": "mgt==ipmi"})
	s.insert("nodegroup", Row{"groupname": "all", "grouptype": "static", "members": "static"})
	return s
}

func TestTheFirstNodeOfTheNoderangeCounts(t *testing.T) {
	s := nodeSite(t)
	s.write("tmp/nodes", "# mine\nn3\nn2 too\n", 0o644)
	must(t, os.Symlink("/tmp/nodes", s.path("tmp/link")))
	for noderange, c := range map[string]struct{ want, problem string }{
		"all":          {"n1", ""},
		"all,-n1":      {"n2", ""},
		"^/tmp/nodes":  {"n2", ""},
		"^tmp/link":    {"n2", ""}, // a relative path and an absolute link count from the root
		"^/tmp/gone,3": {"", "Error: Unable to get postscripts, ^/tmp/gone,3 is not a valide node."},
		"^/gone,n3":    {"n3", `Warning: "^/gone" in the noderange ^/gone,n3 stands for no node of the site`},
		"nosuch,n2":    {"n2", `Warning: "nosuch" in the noderange nosuch,n2 stands for no node of the site`},
		"dyn,n1":       {"", "Error: noderange dyn,n1 is refused as a whole: the group dyn is dynamic"},
		"^/tmp,n1":     {"", "Error: noderange ^/tmp,n1 is refused as a whole: ^/tmp: "},
		"/(?=n)1,n1":   {"", "Error: noderange /(?=n)1,n1 is refused as a whole: the regular expression ^(?=n)1$ is not supported"},
	} {
		e := s.export(Request{Image: "i", Node: noderange})
		if c.problem == "" {
			expectProblems(t, e)
		} else {
			expectProblems(t, e, c.problem)
		}
		if e.Refused != (c.want == "") {
			t.Errorf("%s: refused %v, %q", noderange, e.Refused, texts(e.Problems()))
			continue
		}
		if c.want != "" && !strings.Contains(manifestOf(t, e), "<postscripts>of-"+c.want+"</postscripts>") {
			t.Errorf("%s: want the scripts of %s in\n%s", noderange, c.want, manifestOf(t, e))
		}
	}
	if _, err := s.catalog().FirstNode("^/tmp/nodes"); err == nil || !strings.Contains(err.Error(), "-p only") {
		t.Errorf("a file in the name of a folder: %v", err)
	}
}

func TestExcludedNodesDoNotCount(t *testing.T) {
	s := nodeSite(t)
	s.insert("site", Row{"key": "excludenodes", "value": "n1,n9"})
	if e := s.export(Request{Image: "i", Node: "all"}); !strings.Contains(manifestOf(t, e), "<postscripts>of-n2</postscripts>") {
		t.Errorf("all: want the scripts of n2 in\n%s", manifestOf(t, e))
	}
	e := s.export(Request{Image: "i", Node: "n1"})
	if expectProblems(t, e, "Error: Unable to get postscripts, n1 is not a valide node."); !e.Refused {
		t.Error("an excluded node is exported")
	}
}

// manifestOf returns the manifest of an export.
func manifestOf(t *testing.T, e *Export) string {
	t.Helper()
	return string(member(t, e, "manifest.xml").Content.(bundle.Bytes))
}
