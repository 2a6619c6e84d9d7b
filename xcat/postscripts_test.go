package xcat

import (
	"strings"
	"testing"
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

func TestUnsupportedNoderangeRefusesTheExport(t *testing.T) {
	s := newTestSite(t)
	s.image("i", nil)
	e := s.export(Request{Image: "i", Node: "all,-n1"})
	if !e.Refused || !strings.Contains(texts(e.Problems())[0], "noderange form -exclusion is not supported") {
		t.Errorf("refused %v, %q", e.Refused, texts(e.Problems()))
	}
}
