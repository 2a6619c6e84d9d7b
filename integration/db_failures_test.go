package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"imgexportfs/xcat"
)

// A location that leads nowhere, or to the wrong place, is an error that says
// where and why.
func testDBWrongLocations(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "locations")
	right := s.cfgloc(d.database)
	closed := loopback(freePort(t))
	_, port, _ := strings.Cut(s.address(), ":")
	_, closedPort, _ := strings.Cut(closed, ":")
	for name, c := range map[string]struct {
		cfgloc string
		says   []string
	}{
		"nobody listens":   {strings.Replace(right, "port="+port, "port="+closedPort, 1), []string{closed, "refused"}},
		"no such host":     {strings.Replace(right, "host=127.0.0.1", "host=nosuchhost.invalid", 1), []string{"nosuchhost.invalid"}},
		"wrong password":   {strings.Replace(right, readerPassword, "s3cret", 1), []string{readerName, "127.0.0.1", "password"}},
		"wrong user":       {strings.Replace(right, "|"+readerName+"|", "|nobody|", 1), []string{"nobody", "127.0.0.1"}},
		"no such database": {strings.Replace(right, "dbname="+d.database, "dbname=elsewhere", 1), []string{"elsewhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: c.cfgloc})
			expectError(t, err, c.says...)
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("that takes %v", took)
			}
			r := program(t, t.TempDir(), "list", "--root", d.root, "--cfgloc", c.cfgloc)
			expectCode(t, r, exitSite)
			expectContains(t, "stderr", r.stderr, c.says...)
			expectNoPassword(t, "the program", r.stdout+r.stderr)
		})
	}
}

// The right to SELECT is enough; without it the table is named, and is not taken
// for one that is missing.
func testDBRights(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "rights")
	site := d.open(t)
	s.revoke(t, d.database, "")
	s.disconnect(t) // MariaDB lets a connection keep the rights to its database
	expectTrouble(t, site, "denied", "GRANT SELECT")
	late := []string{"kit", "nodegroup"}
	for _, table := range dbTables {
		if !slices.Contains(late, table) {
			s.grant(t, d.database, table)
		}
	}
	for _, table := range late {
		_, err := xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: s.cfgloc(d.database)})
		expectError(t, err, table, "denied", "GRANT SELECT")
		s.grant(t, d.database, table)
	}
	expectRecovery(t, site)
	d.update(t, "osimage", "description", "granted", "a")
	expectText(t, "description", description(t, site, "a"), "granted")
}

// A connection that is gone when it is next used is made anew, and nobody
// notices.
func testDBKilledConnection(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "killed")
	site, log := d.openLogged(t, 0)
	for _, text := range []string{"one", "two", "three"} {
		s.disconnect(t)
		d.update(t, "osimage", "description", text, "a")
		expectText(t, "description", description(t, site, "a"), text)
	}
	expectText(t, "the log", log.String(), "")
}

// A server that has no connection left says so; who has one keeps it.
func testDBTooManyConnections(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "many")
	site := d.open(t)
	release := s.exhaust(t, d.database)
	_, err := xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: s.cfgloc(d.database)})
	expectError(t, err, "onnections", "max_connections", "127.0.0.1")
	d.update(t, "osimage", "description", "meanwhile", "a")
	expectText(t, "description", description(t, site, "a"), "meanwhile")
	release()
	d.open(t)
}

// A table that another program keeps locked is waited for and then named; who
// has rows gets those without waiting so long.
func testDBLockedTable(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "locked")
	site := d.open(t)
	release := s.lock(t, d.database, "osimage")
	start := time.Now()
	catalog, err := site.Catalog(t.Context())
	must(t, err)
	if took := time.Since(start); took > 3*time.Second || len(catalog.Images()) != 2 {
		t.Errorf("%d images after %v, want the 2 that were known, after a second", len(catalog.Images()), took)
	}
	start = time.Now()
	_, err = xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: s.cfgloc(d.database)})
	expectError(t, err, "locked")
	if took := time.Since(start); took < 4*time.Second || took > 10*time.Second {
		t.Errorf("gave up after %v, want about 5 s", took)
	}
	release()
	expectRecovery(t, site)
}

// A server that is there and says nothing, as one whose host has lost its
// power, costs a lookup a second at most, and the first ones only.
func testDBSilentServer(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "silent")
	site := d.open(t)
	s.pause(t)
	start := time.Now()
	for range 50 {
		catalog, err := site.Catalog(t.Context())
		must(t, err)
		if len(catalog.Images()) != 2 {
			t.Fatalf("images %q", catalog.Images())
		}
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("50 lookups take %v", took)
	}
	limited := strings.Replace(s.cfgloc(d.database), "host=", map[string]string{"MariaDB": "mysql_connect_timeout", "PostgreSQL": "connect_timeout"}[s.name()]+"=1;host=", 1)
	start = time.Now()
	_, err := xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: limited})
	expectError(t, err, s.address(), "see whether the server runs")
	if took := time.Since(start); took < 900*time.Millisecond || took > 4*time.Second {
		t.Errorf("opening gives up after %v, want about a second", took)
	}
	s.resume(t)
	expectRecovery(t, site)
	d.update(t, "osimage", "description", "awake", "a")
	eventually(t, "the row that has changed shows", func() bool { return description(t, site, "a") == "awake" })
}

// A server that ends is missed once: in the log, and in the status with the
// time. When it is back so are its rows.
func testDBLostServer(t *testing.T, s dbServer) {
	d := newDBSite(t, s, "lost")
	site, log := d.openLogged(t, 0)
	for _, end := range []func(*testing.T){s.stop, s.kill} {
		end(t)
		lost := time.Now()
		expectTrouble(t, site, s.address(), "refused")
		since := site.Status().Since
		time.Sleep(1200 * time.Millisecond) // beyond the first pause
		expectTrouble(t, site, s.address(), "refused")
		if status := site.Status(); status.Since != since || since.Before(lost.Add(-time.Second)) || !status.Retry.After(time.Now().Add(time.Second)) {
			t.Errorf("lost at %v, status %+v; the second pause is to be longer than a second", lost, status)
		}
		s.start(t)
		expectRecovery(t, site)
	}
	text := log.String()
	if n := strings.Count(text, "level=WARN"); n != 2 {
		t.Errorf("%d warnings of two losses: %s", n, text)
	}
	if n := strings.Count(text, "level=INFO"); n != 2 {
		t.Errorf("%d times back of two: %s", n, text)
	}
	expectContains(t, "the log", text, "dbname=lost", s.address(), "refused")
	expectNoPassword(t, "the log", text)
	d.update(t, "osimage", "description", "back", "a")
	expectText(t, "description", description(t, site, "a"), "back")
}
