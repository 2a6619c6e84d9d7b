package db

import (
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writerOf opens a table file as xcatd does, with a write-ahead log that stays until the
// test ends.
func writerOf(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.Exec("PRAGMA journal_mode=WAL")
	must(t, err)
	_, err = db.Exec("PRAGMA wal_autocheckpoint=0")
	must(t, err)
	return db
}

// The files beside a table are opened by SQLite, which follows links out of the root.
func TestSQLiteFollowsNoLinkBesideATable(t *testing.T) {
	for _, suffix := range []string{"-wal", "-journal", "-shm"} {
		s := newTestSite(t)
		s.insert("osimage", Row{"imagename": "inside"})
		outside := t.TempDir()
		if suffix != "-journal" {
			must(t, writerOf(t, s.table("osimage")).Close())
		}
		copyFile(t, s.table("osimage"), outside+"/osimage.sqlite")
		if suffix == "-journal" {
			must(t, os.WriteFile(outside+"/osimage.sqlite-journal", []byte("a journal"), 0o600))
		} else {
			_, err := writerOf(t, outside+"/osimage.sqlite").Exec("UPDATE osimage SET imagename = 'OUTSIDE'")
			must(t, err)
			for _, other := range []string{"-wal", "-shm"} {
				if other != suffix {
					copyFile(t, outside+"/osimage.sqlite"+other, s.table("osimage")+other)
				}
			}
		}
		for _, target := range []string{outside + "/osimage.sqlite" + suffix, "osimage.sqlite" + suffix + "-elsewhere"} {
			must(t, os.Symlink(target, s.table("osimage")+suffix))
			_, err := Open(t.Context(), Config{Root: s.root, Getenv: noEnv}, rowsOf)
			if err == nil || !strings.Contains(err.Error(), "osimage.sqlite"+suffix+" is a symbolic link") {
				t.Errorf("%s to %s: %v", suffix, target, err)
			}
			must(t, os.Remove(s.table("osimage")+suffix))
		}
	}
}

// SQLite keeps the log of a table beside the file to which a link leads.
func TestSQLiteLogOfALinkedTableCounts(t *testing.T) {
	s := newTestSite(t)
	s.insert("osimage", Row{"imagename": "first"})
	mkdir(t, s.root, "data")
	must(t, os.Rename(s.table("osimage"), filepath.Join(s.root, "data/osimage.sqlite")))
	must(t, os.Symlink("/data/osimage.sqlite", s.table("osimage")))
	writer := writerOf(t, filepath.Join(s.root, "data/osimage.sqlite"))
	site := s.open()
	expectImage(t, site, "first")
	_, err := writer.Exec("UPDATE osimage SET imagename = 'second'")
	must(t, err)
	expectImage(t, site, "second")
	_, err = writer.Exec("UPDATE osimage SET imagename = 'third'")
	must(t, err)
	expectImage(t, site, "third")
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	must(t, err)
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	must(t, err)
	_, err = io.Copy(out, in)
	must(t, err)
	must(t, out.Close())
}
