package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"imgexportfs/xcat"
)

// dbSite is a site whose tables are in a database of their own; there are an
// image "a" and an image "b".
type dbSite struct {
	server   dbServer
	database string
	root     string
}

func newDBSite(t *testing.T, s dbServer, database string) dbSite {
	t.Helper()
	site := newSite(t)
	for _, image := range []string{"a", "b"} {
		must(t, site.AddStateful(image, map[string]string{"description": "first"}, nil))
	}
	loadSite(t, s, database, site.Dir())
	return dbSite{server: s, database: database, root: site.Dir()}
}

func (d dbSite) exec(t *testing.T, statement string, args ...[]byte) {
	t.Helper()
	d.server.exec(t, d.database, statement, args...)
}

// update sets a column of an image's row.
func (d dbSite) update(t *testing.T, table, column, value, image string) {
	t.Helper()
	d.exec(t, fmt.Sprintf("UPDATE %s SET %s = %s WHERE imagename = %s", table, d.server.quote(column), d.server.mark(1), d.server.mark(2)),
		[]byte(value), []byte(image))
}

func (d dbSite) open(t *testing.T) *xcat.Site {
	t.Helper()
	return openSite(t, d.root, d.server.cfgloc(d.database))
}

// catalogOf are the rows of now. While a look takes longer than a second, as on a busy
// machine, the old ones are served.
func catalogOf(t *testing.T, site *xcat.Site) (catalog *xcat.Catalog) {
	t.Helper()
	asked := time.Now()
	eventually(t, "a look at the database ends", func() bool {
		var err error
		catalog, err = site.Catalog(t.Context())
		must(t, err)
		must(t, site.LastError())
		return !site.Seen(catalog).Before(asked)
	})
	return catalog
}

func description(t *testing.T, site *xcat.Site, image string) string {
	t.Helper()
	row, _ := catalogOf(t, site).OSImage(image)
	return row["description"]
}

// Each change shows at the next look, whatever its size, and what is no change
// is not read again.
func testDBEveryChangeShows(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "changes")
	site := d.open(t)
	before := catalogOf(t, site)
	changes := []string{
		"UPDATE osimage SET description = 'second' WHERE imagename = 'a'",
		"UPDATE osimage SET description = 'other!' WHERE imagename = 'a'", // of the same length
		"UPDATE osimage SET comments = 'x' WHERE imagename = 'a'",
		"UPDATE osimage SET comments = NULL, serverrole = 'x' WHERE imagename = 'a'", // to the next column
		"UPDATE osimage SET serverrole = '' WHERE imagename = 'a'",
		"UPDATE osimage SET serverrole = NULL WHERE imagename = 'a'", // from '' to NULL
		"UPDATE osimage SET description = 'swap' WHERE imagename = 'a'",
		"UPDATE osimage SET description = CASE imagename WHEN 'a' THEN 'first' ELSE 'swap' END", // two rows swap
		"UPDATE osimage SET osname = '1:', osvers = 'x' WHERE imagename = 'a'",
		"UPDATE osimage SET osname = '1', osvers = ':x' WHERE imagename = 'a'",
		"DELETE FROM osimage WHERE imagename = 'b'",
		"INSERT INTO osimage (imagename, description) VALUES ('b', 'again')",
		"UPDATE linuximage SET permission = '700' WHERE imagename = 'a'",
		"INSERT INTO kit (kitname) VALUES ('k')",
		"INSERT INTO litefile (image, file) VALUES ('ALL', '/etc/x')",
		"INSERT INTO nodelist (node) VALUES ('n1')",
		"UPDATE nodelist SET " + s.quote("groups") + " = 'all' WHERE node = 'n1'",
		"INSERT INTO postscripts (node, postscripts) VALUES ('n1', 'p')",
		"INSERT INTO site (" + s.quote("key") + ", value) VALUES ('installdir', '/install2')",
	}
	for _, change := range changes {
		s.exec(t, d.database, change)
		now := catalogOf(t, site)
		if now == before {
			t.Errorf("does not show: %s", change)
		}
		if again := catalogOf(t, site); again != now {
			t.Errorf("read again without a change after: %s", change)
		}
		before = now
	}
	randomChanges(t, d, site)
}

// randomChanges changes single values and holds what is read against them.
func randomChanges(t *testing.T, d dbSite, site *xcat.Site) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("IMGEXPORTFS_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		must(t, err)
	}
	t.Logf("seed %d (IMGEXPORTFS_SEED repeats it)", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	columns := []string{"description", "osname", "comments", "groups", "environvar"}
	for range 60 {
		image := []string{"a", "b"}[random.IntN(2)]
		column := columns[random.IntN(len(columns))]
		value := []string{"", "0", "1", "01", "10", ":", "1:", "-", "NULL", "a,b", `\`, `'`, "\n", " "}[random.IntN(14)]
		d.update(t, "osimage", column, value, image)
		row, _ := catalogOf(t, site).OSImage(image)
		if want := value; row[column] != want && want != "\n" {
			t.Fatalf("%s of %s is %q, want %q", column, image, row[column], want)
		}
	}
}

// Rows that change together are never read apart.
func testDBRowsOfOneMoment(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "moment")
	update := func(n int) string {
		value := strconv.Itoa(n)
		if s.name() == "MariaDB" {
			return "UPDATE osimage o JOIN linuximage l USING (imagename) SET o.description = " + value + ", l.permission = " + value + " WHERE o.imagename = 'a'"
		}
		return "WITH x AS (UPDATE osimage SET description = " + value + " WHERE imagename = 'a') " +
			"UPDATE linuximage SET permission = " + value + " WHERE imagename = 'a'"
	}
	d.exec(t, update(0))
	must(t, os.MkdirAll(d.root+"/install", 0o755))
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
				s.exec(t, d.database, update(n))
			}
		}
	})
	defer writer.Wait()
	defer close(stop)
	site := d.open(t)
	seen := map[string]bool{}
	for range 60 {
		catalog := catalogOf(t, site)
		e, err := catalog.Export(t.Context(), site.Root(), xcat.Request{Image: "a", Destination: "."})
		must(t, err)
		manifest := manifestOf(t, e)
		row, _ := catalog.OSImage("a")
		seen[row["description"]] = true
		expectContains(t, "manifest", manifest, "<description>"+row["description"]+"</description>", "<permission>"+row["description"]+"</permission>")
	}
	if len(seen) < 3 {
		t.Errorf("only %d states were seen while rows changed all the time", len(seen))
	}
}

// On MariaDB, tables that know no transactions are read as well, and rows that
// are too long for the server to hash.
func testMariaDBOddTables(t *testing.T, s *mariaDB) {
	d := newDBSite(t, s, "odd")
	for _, engine := range []string{"MyISAM", "Aria", "InnoDB"} {
		d.exec(t, "ALTER TABLE osimage ENGINE "+engine)
		site := d.open(t)
		d.update(t, "osimage", "description", engine, "a")
		expectText(t, engine, description(t, site, "a"), engine)
		if before := catalogOf(t, site); catalogOf(t, site) != before {
			t.Errorf("%s: read again without a change", engine)
		}
	}
	s.run(t, "SET GLOBAL max_allowed_packet = 65536")
	defer s.run(t, "SET GLOBAL max_allowed_packet = 16777216")
	site := d.open(t)
	for _, end := range []string{"1", "2"} {
		long := strings.Repeat("x", 60_000)
		d.update(t, "osimage", "comments", long, "a")
		d.update(t, "osimage", "environvar", long, "a")
		d.update(t, "osimage", "description", end, "a")
		expectText(t, "description of a long row", description(t, site, "a"), end)
	}
}

// What xcatd writes all the time, as the state of nodes, changes nothing here.
func testDBStatusOfNodesIsNoChange(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "nodes")
	d.exec(t, "INSERT INTO nodelist (node, status) VALUES ('n1', 'booting')")
	site := d.open(t)
	before := catalogOf(t, site)
	d.exec(t, "UPDATE nodelist SET status = 'booted', statustime = 'now', updatestatus = 'synced'")
	if catalogOf(t, site) != before {
		t.Error("a node's status has the tables read again")
	}
	d.exec(t, "UPDATE nodelist SET comments = 'x'")
	if catalogOf(t, site) == before {
		t.Error("another column of nodelist does not show")
	}
}

// Columns that an old xCAT lacks are unset, those of a new one don't matter, and
// both may come while the site is open. Tables that imgexport would make may be
// missing.
func testDBOldAndNewSchemas(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "schemas")
	d.exec(t, "ALTER TABLE linuximage DROP COLUMN driverupdatesrc")
	d.exec(t, "ALTER TABLE osimage DROP COLUMN environvar")
	d.exec(t, "ALTER TABLE osimage ADD COLUMN usercomment TEXT")
	d.exec(t, "UPDATE osimage SET usercomment = 'of a later xCAT'")
	for _, table := range []string{"kit", "kitrepo", "kitcomponent", "litefile", "postscripts", "nodelist", "site"} {
		d.exec(t, "DROP TABLE "+table)
	}
	site := d.open(t)
	catalog := catalogOf(t, site)
	if got := catalog.Images(); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("images %q", got)
	}
	if row, _ := catalog.OSImage("a"); row["usercomment"] != "" || row["description"] != "first" {
		t.Errorf("row %q", row)
	}
	// xCAT is updated.
	d.exec(t, "ALTER TABLE osimage ADD COLUMN environvar TEXT")
	if catalogOf(t, site) == catalog {
		t.Error("a new column does not show")
	}
	d.update(t, "osimage", "environvar", "A=1", "a")
	if row, _ := catalogOf(t, site).OSImage("a"); row["environvar"] != "A=1" {
		t.Errorf("the new column holds %q", row["environvar"])
	}
	d.exec(t, "CREATE TABLE site ("+s.quote("key")+" VARCHAR(128) PRIMARY KEY, value TEXT, comments TEXT, disable TEXT)")
	d.server.grant(t, d.database, "")
	d.exec(t, "INSERT INTO site VALUES ('installdir', '/elsewhere', NULL, NULL)")
	e, err := catalogOf(t, site).Export(t.Context(), site.Root(), xcat.Request{Image: "a", Destination: "."})
	must(t, err)
	if len(e.Members) == 0 {
		t.Error("nothing is exported any more")
	}
	// A table without which there is no site goes: the rows stay, and say why.
	d.exec(t, "ALTER TABLE osimage RENAME TO osimage_away")
	expectTrouble(t, site, "there is no table osimage")
	_, err = xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: s.cfgloc(d.database)})
	expectError(t, err, "there is no table osimage", "cfgloc")
	d.exec(t, "CREATE TABLE osimage (something TEXT)")
	s.grant(t, d.database, "")
	_, err = xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: s.cfgloc(d.database)})
	expectError(t, err, "table osimage has no column imagename", "something", "cfgloc")
}
