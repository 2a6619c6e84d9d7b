package integration

import (
	"slices"
	"testing"

	"imgexportfs/xcat"
)

// Text is taken as it is stored if it is UTF-8, and else as the server converts it from the
// character set of its column or database.
func testDBText(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "bytes")
	expect := func(what, want string) {
		t.Helper()
		row, _ := catalogOf(t, d.open(t)).OSImage("a")
		expectText(t, what, row["comments"], want)
	}
	store := func(text string) { d.exec(t, "UPDATE osimage SET comments = "+s.mark(1), []byte(text)) }
	store("caf\xc3\xa9 \xf0\x9f\x98\x80")
	expect("UTF-8 in a column that does not know it", "café \U0001F600")
	store("caf\xe9")
	if server, maria := s.(*mariaDB); maria {
		expect("Latin-1", "café")
		store("\x47\x72\xf6\xdf\x65 \x80\x81")
		expect("Latin-1 as MySQL has it", "Größe \u20ac\u0081")
		testMariaDBText(t, server, d, expect)
		return
	}
	expectBadByte(t, d)
	for encoding, stored := range map[string]string{"LATIN1": "caf\xe9", "UTF8": "café", "WIN1252": "caf\xe9"} {
		s.(*postgres).createEncoded(t, "bytes_"+encoding, encoding)
		for _, name := range dbTables {
			copyTable(t, d.root, name).loadInto(t, s, "bytes_"+encoding)
		}
		s.grant(t, "bytes_"+encoding, "")
		s.exec(t, "bytes_"+encoding, "UPDATE osimage SET comments = "+s.mark(1), []byte(stored))
		row, _ := catalogOf(t, openSite(t, d.root, s.cfgloc("bytes_"+encoding))).OSImage("a")
		expectText(t, encoding, row["comments"], "café")
	}
}

func testMariaDBText(t *testing.T, s *mariaDB, d dbSite, expect func(what, want string)) {
	for charset, stored := range map[string]string{
		"utf8mb3": "636166c3a9", "utf8mb4": "636166c3a9", "latin2": "636166e9", "cp850": "63616682", "sjis": "8365",
	} {
		d.exec(t, "UPDATE osimage SET comments = NULL")
		d.exec(t, "ALTER TABLE osimage MODIFY comments TEXT CHARACTER SET "+charset)
		d.exec(t, "UPDATE osimage SET comments = _binary x'"+stored+"'")
		expect(charset, map[bool]string{false: "café", true: "テ"}[charset == "sjis"])
	}
	d.exec(t, "UPDATE osimage SET comments = NULL")
	d.exec(t, "ALTER TABLE osimage MODIFY comments BLOB")
	d.exec(t, "UPDATE osimage SET comments = x'636166e9'")
	expectBadByte(t, d)
	d.exec(t, "UPDATE osimage SET comments = NULL")
	d.exec(t, "ALTER TABLE osimage MODIFY comments INT")
	d.exec(t, "UPDATE osimage SET comments = -42")
	expect("a number", "-42")

	d.exec(t, "UPDATE osimage SET comments = NULL, imagename = _latin1 x'756d6ce4' WHERE imagename = 'a'")
	site := d.open(t)
	if row, found := catalogOf(t, site).OSImage("umlä"); !found || row["imagename"] != "umlä" {
		t.Errorf("no image umlä among %q", catalogOf(t, site).Images())
	}
	before := catalogOf(t, site)
	d.exec(t, "ALTER TABLE osimage MODIFY imagename VARCHAR(128) CHARACTER SET latin1 COLLATE latin1_bin")
	if _, found := catalogOf(t, site).OSImage("UMLÄ"); found {
		t.Error("a new collation does not show")
	}
	if _, found := before.OSImage("UMLÄ"); !found {
		t.Error("the old collation does not count")
	}
}

// expectBadByte asks for an image that is refused because of a byte of Latin-1, whose
// character set is not known.
func expectBadByte(t *testing.T, d dbSite) {
	t.Helper()
	site := d.open(t)
	e, err := catalogOf(t, site).Export(t.Context(), site.Root(), xcat.Request{Image: "a", Destination: "."})
	must(t, err)
	if !e.Refused || len(e.Problems()) != 1 {
		t.Fatalf("refused %v, problems %v", e.Refused, e.Problems())
	}
	expectContains(t, "the problem", e.Problems()[0].Text, "osimage", "comments", "0xe9", "offset 3")
}

// disable hides a row unless it is NULL or one of xCAT's ways to say no; the
// empty string is none.
func testDBDisable(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "disable")
	site := d.open(t)
	for value, shown := range map[string]bool{"NULL": true, "'0'": true, "'no'": true, "'NO'": true, "''": false, "'1'": false, "'yes'": false, "' '": false} {
		d.exec(t, "UPDATE osimage SET disable = "+value+" WHERE imagename = 'b'")
		if got := slices.Contains(catalogOf(t, site).Images(), "b"); got != shown {
			t.Errorf("disable %s: shown %v, want %v", value, got, shown)
		}
	}
}
