package integration

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// The exit code of a site whose database or root cannot be read.
const exitSite = 3

// lockTable holds an exclusive lock on a table's file, as xcatd does while it
// writes, until the function returned is called.
func lockTable(t *testing.T, file string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	must(t, err)
	conn, err := db.Conn(context.Background())
	must(t, err)
	for _, statement := range []string{"PRAGMA busy_timeout = 30000", "BEGIN EXCLUSIVE"} { // a server may be reading now
		_, err = conn.ExecContext(context.Background(), statement)
		must(t, err)
	}
	var done bool
	unlock = func() {
		if done {
			return
		}
		done = true
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
		_ = db.Close()
	}
	t.Cleanup(unlock)
	return unlock
}

// A table that stays locked is waited for, and then named.
func TestLockedTableIsNamed(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 1000)
	file := site.TableFile("linuximage")
	lockTable(t, file)
	work := t.TempDir()
	r := program(t, work, "export", "--root", site.Dir(), "foo")
	expectCode(t, r, exitSite)
	expectContains(t, "stderr", r.stderr, "linuximage.sqlite", "locked")
	if r.took < 3*time.Second || r.took > 8*time.Second {
		t.Errorf("the command gave up after %v, want about 5 s", r.took)
	}
	expectLines(t, "files", listing(t, work), nil)
}

// A table that is locked for a moment is only waited for.
func TestBrieflyLockedTableIsWaitedFor(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 1000)
	unlock := lockTable(t, site.TableFile("osimage"))
	go func() {
		time.Sleep(1500 * time.Millisecond)
		unlock()
	}()
	expectCode(t, program(t, t.TempDir(), "export", "--root", site.Dir(), "foo"), 0)
}

// A mount goes on with the rows it has while the database is locked or gone,
// and takes up the new ones after that.
func TestMountOutlivesDatabaseTrouble(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir(), "--refresh", "100ms")
	before := run(t, "sha256sum", m.path("foo.tgz"))
	unlock := lockTable(t, site.TableFile("osimage"))
	time.Sleep(300 * time.Millisecond)
	expectText(t, "sum while locked", run(t, "sha256sum", m.path("foo.tgz")), before)
	unlock()
	must(t, os.Rename(site.TableFile("osimage"), site.TableFile("osimage")+".away"))
	time.Sleep(300 * time.Millisecond)
	expectText(t, "sum while gone", run(t, "sha256sum", m.path("foo.tgz")), before)
	must(t, os.Rename(site.TableFile("osimage")+".away", site.TableFile("osimage")))
	must(t, site.Exec("osimage", `UPDATE osimage SET description = 'back'`))
	eventually(t, "the new row shows", func() bool {
		return strings.Contains(run(t, "cat", m.path("foo", "manifest.xml")), "<description>back<")
	})
}

// Every way in which a database can be unusable ends with a message that
// names the file and with exit code 3, for every command alike.
func TestUnusableDatabasesAreNamed(t *testing.T) {
	breakages := []struct {
		name  string
		doIt  func(t *testing.T, dir string)
		names []string // what the message must contain
	}{
		{"osimage missing", func(t *testing.T, dir string) { must(t, os.Remove(dir+"/osimage.sqlite")) }, []string{"osimage.sqlite"}},
		{"linuximage missing", func(t *testing.T, dir string) { must(t, os.Remove(dir+"/linuximage.sqlite")) }, []string{"linuximage.sqlite"}},
		{"garbage", overwrite("osimage.sqlite", strings.Repeat("this is no database ", 500)), []string{"osimage.sqlite"}},
		{"cut short", func(t *testing.T, dir string) { must(t, os.Truncate(dir+"/osimage.sqlite", 5000)) }, []string{"osimage.sqlite"}},
		{"empty file", func(t *testing.T, dir string) { must(t, os.Truncate(dir+"/osimage.sqlite", 0)) }, []string{"osimage"}},
		{"damaged kit table", overwrite("kit.sqlite", "garbage garbage garbage garbage"), []string{"kit.sqlite"}},
		{"a directory", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/osimage.sqlite"))
			must(t, os.Mkdir(dir+"/osimage.sqlite", 0o755))
		}, []string{"osimage.sqlite"}},
		{"nothing at all", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }, []string{"/etc/xcat"}},
	}
	for _, b := range breakages {
		t.Run(b.name, func(t *testing.T) {
			site := smallSite(t, 1000)
			b.doIt(t, site.Path("/etc/xcat"))
			point := t.TempDir()
			for _, command := range [][]string{
				{"export", "--root", site.Dir(), "foo"}, {"list", "--root", site.Dir()},
				{"check", "--root", site.Dir()}, {"mount", "--root", site.Dir(), point},
			} {
				r := program(t, t.TempDir(), command...)
				expectCode(t, r, exitSite)
				expectContains(t, command[0]+"'s stderr", r.stderr, append(b.names, "Error: ")...)
			}
			if fstype, err := mountedOn(point); err != nil || fstype != "" {
				t.Errorf("a %s is mounted on the directory (%v)", fstype, err)
			}
		})
	}
}

func overwrite(name, text string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) { must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)) }
}

// Tables that an old or a small site lacks count as empty.
func TestTablesThatNeedNotBeThere(t *testing.T) {
	site := smallSite(t, 1000)
	want := checksumsOfExport(t, site.Dir())
	for _, table := range []string{"kit", "kitrepo", "kitcomponent", "litefile", "postscripts", "nodelist", "nodegroup", "site"} {
		must(t, os.Remove(site.TableFile(table)))
	}
	expectText(t, "checksum", checksumsOfExport(t, site.Dir()), want)
	for _, table := range []string{"kit", "site"} {
		if _, err := os.Stat(site.TableFile(table)); err == nil {
			t.Errorf("the program has made %s.sqlite", table)
		}
	}
}

func checksumsOfExport(t *testing.T, root string, flags ...string) string {
	t.Helper()
	work := t.TempDir()
	expectCode(t, program(t, work, append([]string{"export", "--root", root, "foo"}, flags...)...), 0)
	return checksums(t, work)
}

// Where the database is: --cfgloc, XCATCFG, the file cfgloc, /opt/xcat/cfg,
// /etc/xcat, in that order, each below the root. XCATCFG counts for this host alone.
func TestDatabaseIsFoundWhereXCATFindsIt(t *testing.T) {
	site := smallSite(t, 1000)
	describe := func(dir, text string) {
		must(t, os.MkdirAll(site.Path(dir), 0o755))
		run(t, "cp", "-a", site.Path("/etc/xcat")+"/.", site.Path(dir))
		db, err := sql.Open("sqlite", site.Path(dir+"/osimage.sqlite"))
		must(t, err)
		_, err = db.Exec(`UPDATE osimage SET description = ?`, text)
		must(t, err)
		must(t, db.Close())
	}
	expect := func(what, text string, env []string, flags ...string) {
		t.Helper()
		work := t.TempDir()
		args := append([]string{programFile, "export", "--root", site.Dir(), "foo"}, flags...)
		process{args: args, dir: work, env: env}.run(t)
		manifest := string(mustReadTarball(t, filepath.Join(work, "foo.tgz")).manifest)
		expectContains(t, what, manifest, "<description>"+text+"</description>")
	}
	expect("the default", "aaaa", nil)
	describe("/opt/xcat/cfg", "old place")
	expect("the old default", "old place", nil)
	describe("/db/from-file", "from file")
	must(t, site.WriteFile("/etc/xcat/cfgloc", 0o600, []byte("SQLite:/db/from-file\nsecond line\n")))
	expect("the file cfgloc", "from file", nil)
	describe("/db/from-env", "from env")
	expect("XCATCFG with another root", "from file", []string{"XCATCFG=SQLite:/db/from-env"})
	dir := t.TempDir()
	process{args: []string{programFile, "dump", dir}, dir: dir, env: []string{"XCATCFG=SQLite:" + site.Path("/db/from-env")}}.run(t)
	rows, err := os.ReadFile(filepath.Join(dir, "osimage.csv"))
	must(t, err)
	expectContains(t, "XCATCFG", string(rows), `"from env"`)
	describe("/db/from-flag", "from flag")
	expect("--cfgloc", "from flag", []string{"XCATCFG=SQLite:/db/from-env"}, "--cfgloc", "SQLite:/db/from-flag")
	expect("--cfgloc with a bare directory", "from flag", nil, "--cfgloc=/db/from-flag")
}

// Databases that cannot be reached, and texts that name none, are named in the
// error, and a password never shows.
func TestUnknownDatabaseKindsAreNamed(t *testing.T) {
	site := smallSite(t, 1000)
	for spec, name := range map[string]string{
		"mysql:dbname=xcatdb;host=mn|xcatadm|s3cret": "mysql",
		"Pg:dbname=xcatdb;host=mn|xcatadm|s3cret":    "Pg",
		"CSV:/var/tmp/s3cret":                        "CSV",
		"DB2:xcatdb|xcatadm|s3cret":                  "DB2",
		"Oracle:xcatdb|xcatadm|s3cret":               "does not begin with a kind that xCAT knows",
	} {
		r := program(t, t.TempDir(), "list", "--root", site.Dir(), "--cfgloc", spec)
		expectCode(t, r, exitSite)
		expectContains(t, "stderr for "+spec, r.stderr, name)
		if strings.Contains(r.stdout+r.stderr, "s3cret") && !strings.HasPrefix(spec, "CSV:") {
			t.Errorf("%s: the password is shown: %s", spec, r.stderr)
		}
	}
}

// Nothing is ever written beside or into the tables.
func TestDatabaseIsOnlyRead(t *testing.T) {
	site := smallSite(t, 1000)
	state := func() string {
		return shell(t, site.Path("/etc/xcat"), `ls -A | sort; stat -c '%n %s %y %z' . *; sha256sum *`)
	}
	before := state()
	for _, command := range [][]string{{"list"}, {"check"}, {"export", "foo"}} {
		program(t, t.TempDir(), append(command, "--root", site.Dir())...)
	}
	m := mountSite(t, site.Dir())
	listing(t, m.dir)
	run(t, "sha256sum", m.path("foo.tgz"))
	m.stop(t)
	expectText(t, "the tables' directory", state(), before)
}

// A database with a write-ahead log is read with what is in the log.
func TestWriteAheadLogIsRead(t *testing.T) {
	site := smallSite(t, 1000)
	db, err := sql.Open("sqlite", site.TableFile("osimage"))
	must(t, err)
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", "UPDATE osimage SET description = 'in the log'"} {
		_, err = db.Exec(statement)
		must(t, err)
	}
	work := t.TempDir()
	expectCode(t, program(t, work, "export", "--root", site.Dir(), "foo"), 0)
	expectContains(t, "manifest", string(mustReadTarball(t, filepath.Join(work, "foo.tgz")).manifest), "in the log")
}
