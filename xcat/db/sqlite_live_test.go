package db

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Rows of two tables' files are of one moment: what changes between the
// readings of the two has both read again.
func TestSQLiteTablesAreOfOneMoment(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i", "comments": "old"})
	s.insert("linuximage", Row{"imagename": "i", "comments": "old"})
	b := s.backend()
	asked := 0
	b.now = func() time.Time { // is asked before each table
		if asked++; asked == 2 { // osimage is read, linuximage is not
			for _, table := range []string{"osimage", "linuximage"} {
				s.exec(table, "UPDATE "+table+" SET comments = 'new'")
			}
		}
		return time.Now().Add(time.Minute)
	}
	tables, _ := s.load(b)
	for _, table := range []string{"osimage", "linuximage"} {
		if row := tables[table].Visible()[0]; row["comments"] != "new" {
			t.Errorf("%s holds %q, which was there before the other changed", table, row["comments"])
		}
	}
	if asked < 3 {
		t.Errorf("the clock was asked %d times: the test has changed nothing", asked)
	}
}

// A site that is looked at all the time never stops a writer, who has xCAT's
// patience of some seconds, be it with a rollback journal or a write-ahead log.
func TestSQLiteReadersDoNotStopAWriter(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		t.Run(mode, func(t *testing.T) {
			s := newTestSite(t)
			for i := range 300 {
				s.insert("litefile", Row{"image": "i", "file": fmt.Sprint("/f", i)})
			}
			s.exec("litefile", "PRAGMA journal_mode="+mode)
			db, err := sql.Open("sqlite", s.table("litefile")+"?_pragma=busy_timeout(5000)&_pragma=synchronous(0)")
			must(t, err)
			defer func() { _ = db.Close() }()
			db.SetMaxOpenConns(1)
			stop := make(chan struct{})
			var readers sync.WaitGroup
			for range 3 {
				site := s.open()
				readers.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						if _, err := site.Catalog(t.Context()); err != nil {
							t.Error(err)
							return
						}
						if err := site.LastError(); err != nil {
							t.Errorf("a reader is stopped: %v", err)
							return
						}
					}
				})
			}
			longest := time.Duration(0)
			for i := range 100 {
				start := time.Now()
				if _, err := db.Exec("UPDATE litefile SET options = ?", fmt.Sprint(i)); err != nil {
					t.Errorf("the writer is stopped: %v", err)
				}
				longest = max(longest, time.Since(start))
			}
			close(stop)
			readers.Wait()
			t.Logf("the longest of 100 changes took %v", longest)
		})
	}
}

// A database in the middle of which the disk has lost a page, or that was cut
// off, is named; the site goes on with what it has read before.
func TestSQLiteTornTableIsNamedAndTheRowsStay(t *testing.T) {
	s := newTestSite(t)
	for i := range 200 {
		s.insert("osimage", Row{"imagename": fmt.Sprint("image", i), "comments": strings.Repeat("x", 500)})
	}
	site := s.open()
	whole, err := os.ReadFile(s.table("osimage"))
	must(t, err)
	lost := slices.Concat(whole[:8192], make([]byte, len(whole)-8192))
	for name, torn := range map[string][]byte{"cut off": whole[:len(whole)/2], "lost pages": lost} {
		must(t, os.WriteFile(s.table("osimage"), torn, 0o600))
		if _, err := Open(t.Context(), Config{Root: s.root, Getenv: noEnv}, rowsOf); err == nil || !strings.Contains(err.Error(), "osimage.sqlite") || !strings.Contains(err.Error(), "restore") {
			t.Errorf("%s: %v", name, err)
		}
		c, err := site.Catalog(t.Context())
		if err != nil || len(images(c)) != 200 {
			t.Errorf("%s: %v", name, err)
		}
		if err := site.LastError(); err == nil || !strings.Contains(err.Error(), "osimage.sqlite") {
			t.Errorf("%s: the site says %v", name, err)
		}
	}
}

func TestCfglocCanBeTheNameOfAFile(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i"})
	must(t, os.Rename(s.dir, filepath.Join(s.root, "tables")))
	s.write("etc/my-cfgloc", "SQLite:/tables\nmysql:dbname=x|u|p\n", 0o600)
	s.write("etc/host-cfgloc", "SQLite:"+s.root+"/tables", 0o600)
	for _, cfg := range []Config{
		{Root: s.root, Cfgloc: "/etc/my-cfgloc", Getenv: noEnv},
		{Getenv: func(string) string { return s.root + "/etc/host-cfgloc" }},
	} {
		site, err := Open(t.Context(), cfg, rowsOf)
		must(t, err)
		expectImage(t, site, "i")
		must(t, site.Close())
	}
	s.write("etc/my-cfgloc", "Oracle:x|u|hush\n", 0o600)
	_, err := Open(t.Context(), Config{Root: s.root, Cfgloc: "/etc/my-cfgloc", Getenv: noEnv}, rowsOf)
	if err == nil || !strings.Contains(err.Error(), "/etc/my-cfgloc") || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
}
