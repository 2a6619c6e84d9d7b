package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// backend returns a back end on the site's tables.
func (s *testSite) backend() *sqliteBackend {
	return newSQLiteBackend(s.openRoot(), "/etc/xcat/")
}

func (s *testSite) load(b *sqliteBackend) (Tables, Version) {
	s.t.Helper()
	tables, version, err := b.Load(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return tables, version
}

// settle makes the times of all tables old, so that a change shows in them.
func (s *testSite) settle(b *sqliteBackend) {
	b.now = func() time.Time { return time.Now().Add(time.Minute) }
}

func TestSQLiteKeepsBytesAndWritesNumbersInDecimal(t *testing.T) {
	s := newTestSite(t)
	s.exec("osimage", "DROP TABLE osimage")
	s.exec("osimage", `CREATE TABLE osimage (imagename TEXT, description BLOB, profile DATETIME, osvers INTEGER, osarch REAL, comments TEXT, isdeletable BOOLEAN, unknown TEXT)`)
	s.exec("osimage", `INSERT INTO osimage VALUES ('i', x'ff00e9', '2020-01-02 03:04:05', 42, 1.5, CAST(x'6c31e9' AS TEXT), 1, 'x')`)
	tables, _ := s.load(s.backend())
	want := Row{"imagename": "i", "description": "\xff\x00\xe9", "profile": "2020-01-02 03:04:05", "osvers": "42", "osarch": "1.5", "comments": "l1\xe9", "isdeletable": "1"}
	got := tables["osimage"].Visible()[0]
	for column := range want {
		if got[column] != want[column] {
			t.Errorf("%s is %q, want %q", column, got[column], want[column])
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %q", got)
	}
}

func TestSQLiteTellsNullFromEmpty(t *testing.T) {
	s := newTestSite(t)
	s.exec("kit", `INSERT INTO kit (kitname, comments) VALUES ('k', '')`)
	tables, _ := s.load(s.backend())
	table := tables["kit"]
	row := table.Rows[0]
	if v := row[slices.Index(table.Columns, "comments")]; !v.Valid || v.String != "" {
		t.Errorf("'' is %+v", v)
	}
	if v := row[slices.Index(table.Columns, "disable")]; v.Valid {
		t.Errorf("NULL is %+v", v)
	}
}

func TestSQLiteDoesWithoutTablesThatImgexportWouldMake(t *testing.T) {
	s := newTestSite(t)
	for _, table := range schema {
		if !table.required {
			must(t, os.Remove(s.table(table.name)))
		}
	}
	must(t, os.WriteFile(s.table("kit"), nil, 0o600)) // a database without tables
	tables, _ := s.load(s.backend())
	if len(tables) != 2 {
		t.Errorf("tables %v", tables)
	}
}

func TestSQLiteNamesTheFileAndTheNextStep(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func(t *testing.T, s *testSite)
		says   []string
	}{
		"no directory": {func(t *testing.T, s *testSite) { must(t, os.RemoveAll(s.dir)) }, []string{"/etc/xcat", "--cfgloc"}},
		"no osimage":   {func(t *testing.T, s *testSite) { must(t, os.Remove(s.table("osimage"))) }, []string{"/etc/xcat/osimage.sqlite", "--cfgloc"}},
		"empty file":   {func(t *testing.T, s *testSite) { must(t, os.Truncate(s.table("linuximage"), 0)) }, []string{"linuximage.sqlite", "no table", "restore"}},
		"garbage": {func(t *testing.T, s *testSite) {
			s.write("etc/xcat/kit.sqlite", strings.Repeat("garbage", 1000), 0o644)
		}, []string{"kit.sqlite", "not an SQLite database", "restore"}},
		"short":       {func(t *testing.T, s *testSite) { must(t, os.Truncate(s.table("site"), 17)) }, []string{"site.sqlite", "not an SQLite database"}},
		"damaged":     {damage("litefile"), []string{"litefile.sqlite", "damaged", "restore"}},
		"other table": {func(t *testing.T, s *testSite) { s.exec("osimage", "ALTER TABLE osimage RENAME TO x") }, []string{"osimage.sqlite", "no table osimage"}},
		"not xCAT's": {func(t *testing.T, s *testSite) {
			s.exec("osimage", "DROP TABLE osimage")
			s.exec("osimage", "CREATE TABLE osimage (a)")
		}, []string{"osimage.sqlite", "no column imagename", "--cfgloc"}},
		"a directory": {func(t *testing.T, s *testSite) {
			must(t, os.Remove(s.table("kitrepo")))
			must(t, os.Mkdir(s.table("kitrepo"), 0o755))
		}, []string{"kitrepo.sqlite", "not a regular file"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSite(t)
			c.break_(t, s)
			_, _, err := s.backend().Load(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q lacks %q", err, part)
				}
			}
		})
	}
}

// damage overwrites the page with a table's schema.
func damage(table string) func(t *testing.T, s *testSite) {
	return func(t *testing.T, s *testSite) {
		f, err := os.OpenFile(s.table(table), os.O_RDWR, 0)
		must(t, err)
		_, err = f.WriteAt([]byte(strings.Repeat("\xff", 3000)), 100)
		must(t, errors.Join(err, f.Close()))
	}
}

func TestSQLiteWaitsForALockAndThenNamesTheFile(t *testing.T) {
	s := newTestSite(t)
	release := s.lock("kitrepo")
	b := s.backend()
	b.lockWait = 300 * time.Millisecond
	start := time.Now()
	_, _, err := b.Load(t.Context())
	if took := time.Since(start); took < 250*time.Millisecond || took > 5*time.Second {
		t.Errorf("gave up after %v", took)
	}
	if err == nil || !strings.Contains(err.Error(), "kitrepo.sqlite has been locked by another program for 300ms") {
		t.Errorf("got %v", err)
	}
	release()
	s.load(b)
}

func TestSQLiteOutlastsAShortLock(t *testing.T) {
	s := newTestSite(t)
	release := s.lock("osimage")
	time.AfterFunc(200*time.Millisecond, release)
	s.load(s.backend())
}

func TestSQLiteStopsWaitingWhenItIsToldTo(t *testing.T) {
	s := newTestSite(t)
	defer s.lock("osimage")()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, _, err := s.backend().Load(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("stopped after %v", took)
	}
}

// lock locks a table against readers until the function is called.
func (s *testSite) lock(table string) (release func()) {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.table(table))
	must(s.t, err)
	db.SetMaxOpenConns(1)
	_, err = db.Exec("BEGIN EXCLUSIVE")
	must(s.t, err)
	return sync.OnceFunc(func() { _ = db.Close() })
}

func TestSQLiteReadsAWriteAheadLogWithoutWriting(t *testing.T) {
	s := newTestSite(t)
	s.exec("osimage", "PRAGMA journal_mode=WAL")
	s.insert("osimage", Row{"imagename": "old"})
	b := s.backend()
	before := dirList(t, s.dir)
	tables, _ := s.load(b)
	if got := images(&tables); !slices.Equal(got, []string{"old"}) {
		t.Errorf("images %q", got)
	}
	if after := dirList(t, s.dir); !slices.Equal(after, before) {
		t.Errorf("reading left %q, there was %q", after, before)
	}

	// While somebody writes, what is committed is in the log alone.
	db, err := sql.Open("sqlite", s.table("osimage"))
	must(t, err)
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	for i := range 3 {
		_, err = db.Exec(`INSERT INTO osimage (imagename) VALUES (?)`, fmt.Sprint("new", i))
		must(t, err)
		tables, _ = s.load(b)
		if got := images(&tables); len(got) != i+2 {
			t.Errorf("images %q with %d in the log", got, i+1)
		}
	}
}

// A program that was killed leaves its log. To take it in, the database would
// have to be written.
func TestSQLiteSaysWhatToDoAboutALogThatWasLeft(t *testing.T) {
	for _, withIndex := range []bool{true, false} {
		s := newTestSite(t)
		s.exec("osimage", "PRAGMA journal_mode=WAL")
		db, err := sql.Open("sqlite", s.table("osimage"))
		must(t, err)
		db.SetMaxOpenConns(1)
		_, err = db.Exec(`INSERT INTO osimage (imagename) VALUES ('in the log')`)
		must(t, err)
		files := map[string][]byte{}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			files[suffix], err = os.ReadFile(s.table("osimage") + suffix)
			must(t, err)
		}
		must(t, db.Close())
		if !withIndex {
			delete(files, "-shm")
		}
		for suffix, content := range files {
			must(t, os.WriteFile(s.table("osimage")+suffix, content, 0o600))
		}
		before := dirList(t, s.dir)
		tables, _, err := s.backend().Load(t.Context())
		if err == nil {
			if got := images(&tables); !slices.Equal(got, []string{"in the log"}) {
				t.Errorf("images %q", got)
			}
		} else if withIndex || !strings.Contains(err.Error(), "start xcatd") {
			t.Errorf("got %v", err)
		}
		if after := dirList(t, s.dir); !slices.Equal(after, before) {
			t.Errorf("reading left %q, there was %q", after, before)
		}
	}
}

func TestSQLiteOpensTablesUnderOddPaths(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i"})
	odd := "etc/a?b#c%41 &=\u00e9\xff"
	must(t, os.Rename(s.dir, filepath.Join(s.root, odd)))
	b := newSQLiteBackend(s.openRoot(), "/"+odd)
	tables, _, err := b.Load(t.Context())
	if err != nil || len(tables["osimage"].Rows) != 1 {
		t.Errorf("got %v, %v", tables["osimage"], err)
	}
}

func TestSQLiteRootConfinesLinks(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "i"})
	must(t, os.Rename(s.dir, filepath.Join(s.root, "tables")))
	must(t, os.Symlink("/../../tables", s.dir))
	tables, _ := s.load(s.backend())
	if len(tables["osimage"].Rows) != 1 {
		t.Errorf("got %v", tables["osimage"])
	}
}

func TestSQLiteVersionTellsEveryChange(t *testing.T) {
	s := newTestSite(t)
	b := s.backend()
	s.settle(b)
	_, loaded := s.load(b)
	version := func() Version {
		t.Helper()
		v, err := b.Version(t.Context())
		must(t, err)
		return v
	}
	if v := version(); v != loaded {
		t.Error("the version changes by itself")
	}
	s.insert("kit", Row{"kitname": "k1"})
	_, second := s.load(b)
	if second == loaded {
		t.Error("a new row does not show")
	}
	s.exec("kit", "UPDATE kit SET kitname = 'k2'")
	if v := version(); v == second {
		t.Error("a change of equal length does not show")
	}
	_, third := s.load(b)
	must(t, os.Remove(s.table("kitrepo")))
	if v := version(); v == third {
		t.Error("a removed table does not show")
	}
	must(t, os.Remove(s.table("osimage")))
	if _, err := b.Version(t.Context()); err == nil {
		t.Error("a removed table that must be there is no error")
	}
}

// Two changes within one tick of the file system's clock leave the same times:
// a state is not trusted before the tick is over.
func TestSQLiteDoesNotTrustTimesThatAreTooFresh(t *testing.T) {
	s := newTestSite(t)
	b := s.backend()
	now := time.Now()
	b.now = func() time.Time { return now }
	_, v1 := s.load(b)
	if v2, err := b.Version(t.Context()); err != nil || v1 == v2 {
		t.Errorf("a state of this moment is trusted (%v)", err)
	}
	now = now.Add(time.Minute)
	_, v1 = s.load(b)
	if v2, err := b.Version(t.Context()); err != nil || v1 != v2 {
		t.Errorf("an old state is not trusted (%v)", err)
	}
}

func TestSQLiteReadsOnlyTablesThatHaveChanged(t *testing.T) {
	s := newTestSite(t)
	b := s.backend()
	s.settle(b)
	s.load(b)
	release := s.lock("nodelist") // nobody can read it now
	defer release()
	b.lockWait = 100 * time.Millisecond
	s.insert("osimage", Row{"imagename": "new"})
	tables, _ := s.load(b)
	if len(tables["osimage"].Rows) != 1 {
		t.Errorf("rows %v", tables["osimage"].Rows)
	}
}

// A site whose tables change all the time is read nevertheless, each table as
// a whole: rows that are always written in pairs are never read alone.
func TestSQLiteReadsWhileOthersWrite(t *testing.T) {
	s := newTestSite(t)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		db, err := sql.Open("sqlite", s.table("nodelist")+"?_pragma=busy_timeout(10000)&_pragma=synchronous(0)")
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = db.Close() }()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			if _, err := db.Exec(`BEGIN; DELETE FROM nodelist; INSERT INTO nodelist (node) VALUES ('a` + fmt.Sprint(i) + `'); INSERT INTO nodelist (node) VALUES ('b` + fmt.Sprint(i) + `'); COMMIT`); err != nil {
				t.Error(err)
				return
			}
		}
	})
	b := s.backend()
	versions := map[Version]bool{}
	for range 10 {
		tables, version := s.load(b)
		versions[version] = true
		rows := tables["nodelist"].Rows
		if len(rows) == 2 && rows[0][0].String[1:] != rows[1][0].String[1:] || len(rows)%2 != 0 {
			t.Fatalf("read %v", rows)
		}
	}
	close(stop)
	writer.Wait()
	if len(versions) < 2 {
		t.Error("nothing changed while it was read")
	}
}

func TestSQLiteSaysWhatToDoAboutAHotJournal(t *testing.T) {
	s := newTestSite(t)
	s.insert("site", Row{"key": "k", "value": strings.Repeat("v", 5000)})
	// A copy of the files in the middle of a change, as after a crash.
	db, err := sql.Open("sqlite", s.table("site"))
	must(t, err)
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"PRAGMA cache_size=1", "PRAGMA cache_spill=1", "BEGIN", "UPDATE site SET value = hex(randomblob(20000))"} {
		_, err = db.Exec(statement)
		must(t, err)
	}
	var files [2][]byte
	for i, suffix := range []string{"", "-journal"} {
		files[i], err = os.ReadFile(s.table("site") + suffix)
		must(t, err)
	}
	must(t, db.Close())
	must(t, os.WriteFile(s.table("site"), files[0], 0o600))
	must(t, os.WriteFile(s.table("site")+"-journal", files[1], 0o600))
	before := dirList(t, s.dir)

	_, _, err = s.backend().Load(t.Context())
	if err == nil || !strings.Contains(err.Error(), "start xcatd") || !strings.Contains(err.Error(), "site.sqlite") {
		t.Errorf("got %v", err)
	}
	if after := dirList(t, s.dir); !slices.Equal(after, before) {
		t.Errorf("reading left %q, there was %q", after, before)
	}
}

func dirList(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
