package integration

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// openSite opens the site below root with a database; every look is at it.
func openSite(t *testing.T, root, cfgloc string) *xcat.Site {
	t.Helper()
	site, err := xcat.OpenSite(t.Context(), xcat.Config{Root: root, Cfgloc: cfgloc, Getenv: func(string) string { return "" }})
	must(t, err)
	t.Cleanup(func() { _ = site.Close() })
	return site
}

// exported describes all that an export says and holds.
func exported(t *testing.T, engine *bundle.Engine, site *xcat.Site, c recorded) []string {
	t.Helper()
	catalog, err := site.Catalog(t.Context())
	must(t, err)
	req := xcat.Request{Image: c.Image, Node: c.node(), Destination: "CWD"}
	for i := 0; i+1 < len(c.Args); i += 2 {
		if c.Args[i] == "-e" || c.Args[i] == "--extra" {
			req.Extras = append(req.Extras, c.Args[i+1])
		}
	}
	e, err := catalog.Export(t.Context(), site.Root(), req)
	must(t, err)
	lines := []string{fmt.Sprintf("image %q name %q refused %v", e.Image, e.Name, e.Refused)}
	for _, m := range e.Messages {
		lines = append(lines, fmt.Sprintf("level %d: %s", m.Level, m.Text))
	}
	for _, m := range e.Members {
		lines = append(lines, fmt.Sprintf("member %v %04o %q -> %q", m.Kind, m.Perm, m.Name, m.Target))
		if m.Name == bundle.Manifest || m.Name == "litefile.csv" {
			text, err := io.ReadAll(io.NewSectionReader(m.Content, 0, m.Content.Size()))
			must(t, err)
			lines = append(lines, strings.Split(string(text), "\n")...)
		}
	}
	if b, err := engine.NewBundle(t.Context(), e.Name, e.Members); err == nil {
		lines = append(lines, fmt.Sprintf("plan %x", b.PlanHash()))
	}
	return lines
}

// csvShows are the cases that differ in a CSV backup: rows show that were
// hidden by a disable of ”, which tabdump writes as it writes NULL.
var csvShows = []string{"c20_statelite", "c23_statelite_relslash", "c36_s390x_statelite", "c71_disable_empty"}

// latin1Case is the case of an image with a value in Latin-1. MySQL and MariaDB say so of
// the column, so it is exported from there, as by imgexport.
const latin1Case = "c64_latin1"

// Every case has the same outcome on all kinds of databases: the messages, the
// members, the manifest, and the plan, from which the bytes follow. That it is
// the right outcome on SQLite is what the other tests of conformance say.
func testDBConformance(t *testing.T, servers []dbServer) {
	root := filepath.Join(t.TempDir(), "site")
	must(t, unpackSite(root))
	must(t, os.CopyFS(filepath.Join(root, "backup"), os.DirFS(filepath.Join(conformance, "tabdump"))))
	sqlite := openSite(t, root, "SQLite:/etc/xcat")
	csv := openSite(t, root, "CSV:/backup")
	shown := openSite(t, root, "SQLite:"+showHidden(t, root))
	others := map[string]*xcat.Site{}
	for _, s := range servers {
		loadSite(t, s, "conformance", root)
		others[s.name()] = openSite(t, root, s.cfgloc("conformance"))
		others[s.name()+" by its socket"] = openSite(t, root, s.socket("conformance"))
	}
	engine, err := bundle.NewEngine(bundle.EngineOptions{})
	must(t, err)
	defer engine.Close()
	var differ []string
	for _, c := range loadCases(t) {
		want := exported(t, engine, sqlite, c)
		for kind, site := range others {
			lines := exported(t, engine, site, c)
			if c.Case == latin1Case && strings.HasPrefix(kind, "MariaDB") {
				expectContains(t, c.Case+" on "+kind, strings.Join(lines, "\n"), "<comments>latin1 é end</comments>")
				continue
			}
			expectLines(t, c.Case+" on "+kind, lines, want)
		}
		backup := exported(t, engine, csv, c)
		expectLines(t, c.Case+" on CSV", backup, exported(t, engine, shown, c))
		if !slices.Equal(backup, want) {
			differ = append(differ, c.Case)
		}
	}
	slices.Sort(differ)
	expectLines(t, "cases in which a backup shows more", differ, csvShows)
}

// showHidden makes a copy of the tables in which a disable of ” is NULL.
func showHidden(t *testing.T, root string) string {
	t.Helper()
	const dir = "/etc/xcat-shown"
	must(t, os.CopyFS(root+dir, os.DirFS(filepath.Join(root, "etc/xcat"))))
	for _, table := range dbTables {
		db, err := sql.Open("sqlite", filepath.Join(root, dir, table+".sqlite"))
		must(t, err)
		_, err = db.Exec(`UPDATE "` + table + `" SET disable = NULL WHERE disable = ''`)
		must(t, err)
		must(t, db.Close())
	}
	return dir
}
