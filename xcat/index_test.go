package xcat

import (
	"strings"
	"testing"

	"imgexportfs/bundle"
	"imgexportfs/xcat/db"
)

// swedishCatalog is a catalog of tables whose key columns ignore case and blanks at the end.
func swedishCatalog(s *testSite) *Catalog {
	tables := tablesOf(s.rows)
	for name, table := range tables {
		table.Collations = map[string]db.Collation{}
		for _, column := range table.Columns {
			table.Collations[column] = "latin1_swedish_ci"
		}
		tables[name] = table
	}
	return newCatalog(tables)
}

// mixedSite is a site whose rows name each other in other cases.
func mixedSite(t *testing.T) *testSite {
	s := newTestSite(t)
	s.image("MixLinux", nil)
	s.rows["osimage"][0]["kitcomponents"] = "Comp "
	s.rows["linuximage"][0]["imagename"] = "mixlinux "
	s.insert("kitcomponent", Row{"kitcompname": "comp", "kitname": "Ka"})
	s.insert("kit", Row{"kitname": "ka"})
	s.insert("kitrepo", Row{"kitreponame": "repo", "kitname": "KA"})
	s.insert("nodelist", Row{"node": "n1", "groups": "GRP"})
	s.insert("postscripts", Row{"node": "grp", "postscripts": "of the group"})
	s.insert("postscripts", Row{"node": "XcatDefaults", "postscripts": "defaults"})
	s.insert("litefile", Row{"image": "mixLINUX", "file": "/etc/own"})
	s.insert("litefile", Row{"image": "all", "file": "/etc/all"})
	return s
}

func TestRowsAreFoundAsTheDatabaseComparesThem(t *testing.T) {
	s := mixedSite(t)
	for _, name := range []string{"MixLinux", "mixlinux", "MIXLINUX  "} {
		e, err := swedishCatalog(s).Export(t.Context(), s.openRoot(), Request{Image: name, Node: "n1"})
		must(t, err)
		if e.Refused || e.Image != "MixLinux" {
			t.Fatalf("%q: refused %v, image %q, %q", name, e.Refused, e.Image, texts(e.Problems()))
		}
		text := string(member(t, e, "manifest.xml").Content.(bundle.Bytes))
		for _, part := range []string{"<kitname>ka<", "<kitcompname>comp<", "<kitreponame>repo<", "<postscripts>defaults,of the group<"} {
			if !strings.Contains(text, part) {
				t.Errorf("the manifest lacks %s:\n%s", part, text)
			}
		}
	}
	x := newExporter(t.Context(), swedishCatalog(s), s.openRoot(), Request{Image: "MixLinux"})
	x.osimage, _ = x.catalog.osimage.one("MixLinux")
	if rows := x.liteRows(); len(rows) != 2 || rows[0].File != "/etc/all" || rows[1].File != "/etc/own" {
		t.Errorf("litefile rows %+v", rows)
	}
	if e := s.export(Request{Image: "MixLinux"}); !e.Refused {
		t.Error("without a collation the rows are found all the same")
	}
}

func TestTheRowThatIsSpelledTheSameWins(t *testing.T) {
	table := tablesOf(map[string][]Row{"t": {{"k": "A", "v": "1"}, {"k": "a", "v": "2"}, {"k": "a ", "v": "3"}}})["t"]
	table.Collations = map[string]db.Collation{"k": "latin1_swedish_ci"}
	x := newRowIndex(table, "k", "v")
	for value, want := range map[string]string{"A": "1", "a": "2", "a ": "3", "A ": "1"} {
		if row, found := x.one(value); !found || row["v"] != want {
			t.Errorf("%q: %v, want %s", value, row, want)
		}
	}
	if n := len(x.all("A")); n != 3 {
		t.Errorf("%d rows, want all 3", n)
	}
	if _, found := x.one(""); found || x.all("") != nil {
		t.Error("there is a row of no name")
	}
}

func TestARowIsVisibleAsTheDatabaseComparesDisable(t *testing.T) {
	table := tablesOf(map[string][]Row{"t": {{"k": "1", "disable": "no "}, {"k": "2", "disable": "n\u00d3"}, {"k": "3", "disable": "0 "}, {"k": "4", "disable": "yes"}, {"k": "5"}}})["t"]
	if n := len(table.Visible()); n != 1 {
		t.Errorf("%d rows are visible byte by byte, want 1", n)
	}
	table.Collations = map[string]db.Collation{"disable": "latin1_swedish_ci"}
	if n := len(table.Visible()); n != 4 {
		t.Errorf("%d rows are visible, want 4", n)
	}
}
