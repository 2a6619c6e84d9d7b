package integration

import (
	"slices"
	"testing"

	"imgexportfs/xcat"
)

// Bytes come as they are stored, whatever a column or a database calls them.
// What is not UTF-8 then cannot be exported, and is named.
func testDBBytesAsStored(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "bytes")
	expect := func(what, want string) {
		t.Helper()
		row, _ := catalogOf(t, d.open(t)).OSImage("a")
		expectText(t, what, row["comments"], want)
	}
	d.exec(t, "UPDATE osimage SET comments = "+s.mark(1), []byte("caf\xc3\xa9 \xf0\x9f\x98\x80"))
	expect("UTF-8 in a column that does not know it", "café \U0001F600")
	d.exec(t, "UPDATE osimage SET comments = "+s.mark(1), []byte("caf\xe9"))
	expect("Latin-1", "caf\xe9")
	site := d.open(t)
	e, err := catalogOf(t, site).Export(t.Context(), site.Root(), xcat.Request{Image: "a", Destination: "."})
	must(t, err)
	if !e.Refused || len(e.Problems()) != 1 {
		t.Fatalf("refused %v, problems %v", e.Refused, e.Problems())
	}
	expectContains(t, "the problem", e.Problems()[0].Text, "osimage", "comments", "0xe9", "offset 3")
	switch server := s.(type) {
	case *mariaDB:
		d.exec(t, "ALTER TABLE osimage MODIFY comments TEXT CHARACTER SET utf8mb4")
		d.exec(t, "UPDATE osimage SET comments = _utf8mb4 x'636166c3a920f09f9880'")
		expect("UTF-8 in a column of UTF-8", "café \U0001F600")
		d.exec(t, "UPDATE osimage SET comments = NULL")
		d.exec(t, "ALTER TABLE osimage MODIFY comments INT")
		d.exec(t, "UPDATE osimage SET comments = -42")
		expect("a number", "-42")
	case *postgres:
		for encoding, stored := range map[string]string{"LATIN1": "caf\xe9", "UTF8": "café"} {
			server.createEncoded(t, "bytes_"+encoding, encoding)
			for _, name := range dbTables {
				copyTable(t, d.root, name).loadInto(t, s, "bytes_"+encoding)
			}
			s.grant(t, "bytes_"+encoding, "")
			s.exec(t, "bytes_"+encoding, "UPDATE osimage SET comments = "+s.mark(1), []byte(stored))
			row, _ := catalogOf(t, openSite(t, d.root, s.cfgloc("bytes_"+encoding))).OSImage("a")
			expectText(t, encoding, row["comments"], stored)
		}
	}
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
