package db

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// csvSite makes a directory with dumps of the tables.
func csvSite(t *testing.T, dumps map[string]string) (dir string, b *csvBackend) {
	t.Helper()
	s := newTestSite(t)
	dir = filepath.Join(s.root, "backup")
	must(t, os.Mkdir(dir, 0o755))
	for table, text := range dumps {
		must(t, os.WriteFile(filepath.Join(dir, table+".csv"), []byte(text), 0o600))
	}
	return dir, newCSVBackend(s.openRoot(), "/backup/")
}

// What dumps must have at least.
var leastDumps = map[string]string{
	"osimage":    "#imagename,profile,disable\n\"i\",\"p\",\n",
	"linuximage": "#imagename\n\"i\"\n",
}

func withDump(table, text string) map[string]string {
	dumps := maps.Clone(leastDumps)
	dumps[table] = text
	return dumps
}

func TestCSVReadsColumnsByTheirNames(t *testing.T) {
	_, b := csvSite(t, withDump("osimage", "#disable,of_a_later_xCAT,imagename,profile\n,\"x\",\"i\",\"p\"\n\"yes\",,\"hidden\",\n\"\",,\"hidden too\",\n"))
	tables, _, err := b.Load(t.Context())
	must(t, err)
	if got := tables["osimage"].Columns; !slices.Equal(got, []string{"imagename", "profile", "disable"}) {
		t.Errorf("columns %q", got)
	}
	rows := tables["osimage"].Visible()
	if len(rows) != 1 || !maps.Equal(rows[0], Row{"imagename": "i", "profile": "p"}) {
		t.Errorf("rows %q", rows)
	}
	if len(tables) != 2 {
		t.Errorf("%d tables of two files", len(tables))
	}
}

func TestCSVNamesTheFileAndTheNextStep(t *testing.T) {
	for name, c := range map[string]struct {
		dumps map[string]string
		says  []string
	}{
		"no directory": {nil, []string{"/backup", "osimage.csv", "--cfgloc"}},
		"torn":         {withDump("kit", "#kitname,comments\n\"k\",\"a\n"), []string{"kit.csv", "line 2", "tabdump"}},
		"empty":        {withDump("linuximage", ""), []string{"linuximage.csv", "line 1", "tabdump"}},
		"xCAT's own":   {withDump("kit", "kitname,basename,disable\r\n\"k\",,\r\n"), []string{"kit.csv", "xCAT's own CSV: database", "dumpxCATdb -p"}},
		"not a dump":   {withDump("osimage", "#a,b\n"), []string{"osimage.csv", "no column imagename", "--cfgloc"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, b := csvSite(t, c.dumps)
			_, _, err := b.Load(t.Context())
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

func TestCSVVersionTellsChangesOfFiles(t *testing.T) {
	dir, b := csvSite(t, leastDumps)
	b.now = func() time.Time { return time.Now().Add(time.Minute) }
	_, loaded, err := b.Load(t.Context())
	must(t, err)
	same, err := b.Version(t.Context())
	must(t, err)
	if same != loaded {
		t.Error("the version changes by itself")
	}
	must(t, os.WriteFile(filepath.Join(dir, "linuximage.csv"), []byte("#imagename\n\"j\"\n"), 0o600))
	if other, err := b.Version(t.Context()); err != nil || other == loaded {
		t.Errorf("a change of equal length does not show (%v)", err)
	}
}

// A change while the tables are read has them read again.
func TestCSVTablesAreOfOneMoment(t *testing.T) {
	dir, b := csvSite(t, leastDumps)
	// The context is asked before each table: a place to change them.
	asked := 0
	ctx := hookedContext{t.Context(), func() {
		if asked++; asked == 2 { // osimage is read, linuximage is not
			for _, table := range []string{"osimage", "linuximage"} {
				must(t, os.WriteFile(filepath.Join(dir, table+".csv"), []byte("#imagename\n\"new\"\n"), 0o600))
			}
		}
	}}
	tables, _, err := b.Load(ctx)
	must(t, err)
	for _, table := range []string{"osimage", "linuximage"} {
		if row := tables[table].Visible()[0]; row["imagename"] != "new" {
			t.Errorf("%s holds %q, which was there before the other changed", table, row)
		}
	}
}

// hookedContext calls a function whenever it is asked whether it is done.
type hookedContext struct {
	context.Context
	hook func()
}

func (c hookedContext) Err() error {
	c.hook()
	return c.Context.Err()
}

// conformance is the directory of a recorded site.
const conformance = "../../integration/testdata/conformance"

// unpackTables unpacks the tables of the recorded site and returns its root.
func unpackTables(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	out, err := exec.Command("tar", "xzf", filepath.Join(conformance, "site.tar.gz"), "-C", root, "./etc/xcat").CombinedOutput()
	if err != nil {
		t.Fatalf("unpack the tables: %v: %s", err, out)
	}
	return root
}

// The dump of a site is what tabdump wrote of it.
func TestDumpIsWhatTabdumpWrites(t *testing.T) {
	dumps, err := Dump(t.Context(), Config{Root: unpackTables(t), Getenv: noEnv})
	must(t, err)
	if len(dumps) != 10 {
		t.Errorf("%d dumps", len(dumps))
	}
	for _, dump := range dumps {
		want := []byte("#groupname,grouptype,members,membergroups,wherevals,comments,disable\n") // nodegroup, of which nothing was recorded
		if dump.File != "nodegroup.csv" {
			want, err = os.ReadFile(filepath.Join(conformance, "tabdump", dump.File))
			must(t, err)
		}
		var got bytes.Buffer
		must(t, dump.WriteText(&got))
		if got.String() != string(want) {
			t.Errorf("%s differs from what tabdump wrote", dump.File)
		}
	}
}

func TestDumpOfAMissingTableHasNoRows(t *testing.T) {
	s := newTestSite(t)
	must(t, os.Remove(s.table("nodelist")))
	s.exec("osimage", `ALTER TABLE osimage DROP COLUMN environvar`)
	s.insert("osimage", Row{"imagename": "i", "comments": "c"})
	dumps, err := Dump(t.Context(), Config{Root: s.root, Getenv: noEnv})
	must(t, err)
	text := map[string]string{}
	for _, dump := range dumps {
		var b bytes.Buffer
		must(t, dump.WriteText(&b))
		text[dump.File] = b.String()
	}
	if want := "#node,groups,status,statustime,appstatus,appstatustime,primarysn,hidden,updatestatus,updatestatustime,zonename,comments,disable\n"; text["nodelist.csv"] != want {
		t.Errorf("nodelist: %q", text["nodelist.csv"])
	}
	if got := text["osimage.csv"]; !strings.HasPrefix(got, "#imagename,groups,") || !strings.HasSuffix(got, ",environvar,comments,disable\n\"i\",,,,,,,,,,,,,,,,,,,,,\"c\",\n") {
		t.Errorf("osimage: %q", got)
	}
}
