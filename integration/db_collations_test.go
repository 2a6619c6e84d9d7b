package integration

import (
	"fmt"
	"strings"
	"testing"

	"imgexportfs/xcat"
)

// Rows that name each other in another case, or with blanks at the end, are found as the
// server finds them.
func testMariaDBCollations(t *testing.T, s *mariaDB) {
	d := newDBSite(t, s, "collations")
	for _, statement := range []string{
		"UPDATE osimage SET imagename = 'MixLinux', kitcomponents = 'COMP' WHERE imagename = 'a'",
		"UPDATE linuximage SET imagename = 'mixlinux ' WHERE imagename = 'a'",
		"INSERT INTO kitcomponent (kitcompname, kitname) VALUES ('comp', 'Ka')",
		"INSERT INTO kit (kitname) VALUES ('ka')",
		"INSERT INTO nodelist (node, `groups`) VALUES ('n1', 'GRP')",
		"INSERT INTO postscripts (node, postscripts) VALUES ('grp', 'of the group')",
		"UPDATE osimage SET disable = 'no ' WHERE imagename = 'b'",
	} {
		d.exec(t, statement)
	}
	site := d.open(t)
	catalog := catalogOf(t, site)
	expectLines(t, "images", catalog.Images(), []string{"MixLinux", "b"})
	for _, image := range []string{"MixLinux", "mixlinux"} {
		e, err := catalog.Export(t.Context(), site.Root(), xcat.Request{Image: image, Node: "n1", Destination: "."})
		must(t, err)
		if e.Refused || e.Name != "MixLinux" {
			t.Fatalf("%s: name %q, refused %v: %v", image, e.Name, e.Refused, e.Problems())
		}
		expectContains(t, "the manifest", manifestOf(t, e), "<kitname>ka<", "<postscripts>of the group<")
	}
}

// A row is found by a name if and only if the server finds it.
func testMariaDBComparisons(t *testing.T, s *mariaDB) {
	d := newDBSite(t, s, "comparisons")
	names := []string{"Kernel", "kernel", "kernel ", " kernel", "K\u00e9rnel", "k\u00c4", "ka", "k\u00e6", "k\u00fc", "ky", "k\u00df", "kss", "ks", "ko", "k\u0161", "\u0416", "\u0436"}
	for _, collation := range []string{
		"latin1_swedish_ci", "latin1_bin", "latin1_general_cs", "latin1_swedish_nopad_ci",
		"utf8mb3_general_ci", "utf8mb4_general_ci", "utf8mb4_bin", "utf8mb4_unicode_ci",
		"utf8mb4_uca1400_ai_ci", "utf8mb4_uca1400_as_ci", "utf8mb4_uca1400_nopad_ai_ci",
	} {
		charset, _, _ := strings.Cut(collation, "_")
		d.exec(t, "ALTER TABLE osimage MODIFY imagename VARCHAR(128) CHARACTER SET "+charset+" COLLATE "+collation)
		site := d.open(t)
		for _, stored := range names {
			if charset == "latin1" && strings.ContainsAny(stored, "\u0416\u0436") {
				continue
			}
			d.exec(t, "UPDATE osimage SET imagename = CONVERT(CAST(? AS BINARY) USING utf8mb4) WHERE description = 'first' AND imagename <> 'b'", []byte(stored))
			catalog := catalogOf(t, site)
			for _, asked := range names {
				var want int
				err := s.db.QueryRow(fmt.Sprintf("SELECT COUNT(*) FROM comparisons.osimage WHERE imagename <> 'b' AND imagename = _utf8mb4 x'%x'", asked)).Scan(&want)
				if err != nil && !strings.Contains(err.Error(), "Illegal mix of collations") { // of Latin-1 and a character that it lacks
					t.Fatal(err)
				}
				if _, found := catalog.OSImage(asked); found != (want > 0) {
					t.Errorf("%s: %q is found by %q: %v, by the server: %d", collation, stored, asked, found, want)
				}
			}
		}
	}
}
