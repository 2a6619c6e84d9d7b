package db

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/bundle/source"
)

func TestParseSpec(t *testing.T) {
	for text, want := range map[string]Spec{
		"SQLite:/etc/xcat":   {Kind: SQLite, Place: "/etc/xcat"},
		"sqlite:/etc/xcat\n": {Kind: SQLite, Place: "/etc/xcat"},
		"/some/dir":          {Kind: SQLite, Place: "/some/dir"},
		"/some/dir:with":     {Kind: SQLite, Place: "/some/dir:with"},
		"./dir:with":         {Kind: SQLite, Place: "./dir:with"},
		"dir":                {Kind: SQLite, Place: "dir"},
		"SQLite:/a|b":        {Kind: SQLite, Place: "/a|b"},
		"CSV:/etc/xcat":      {Kind: CSV, Place: "/etc/xcat"},
		"mysql:dbname=xcatdb;host=mn|xcatadmin|pass|word": {Kind: MySQL, Place: "dbname=xcatdb;host=mn", User: "xcatadmin", Password: "pass"},
		"mysql:dbname=x|u|pw|":                            {Kind: MySQL, Place: "dbname=x", User: "u", Password: "pw"},
		"mysql:dbname=x|u|pw \t \n":                       {Kind: MySQL, Place: "dbname=x", User: "u", Password: "pw \t "},
		"mysql:dbname=x|u|pw\r":                           {Kind: MySQL, Place: "dbname=x", User: "u", Password: "pw\r"},
		"mysql:dbname=x| u |":                             {Kind: MySQL, Place: "dbname=x", User: " u "},
		"Pg:dbname=x||pw":                                 {Kind: PostgreSQL, Place: "dbname=x", Password: "pw"},
		"SQLite:/etc/xcat \r":                             {Kind: SQLite, Place: "/etc/xcat"},
		"Pg:dbname=xcatdb;host=mn|u|p":                    {Kind: PostgreSQL, Place: "dbname=xcatdb;host=mn", User: "u", Password: "p"},
		"mysql:dbname=xcatdb":                             {Kind: MySQL, Place: "dbname=xcatdb"},
	} {
		got, err := ParseSpec(text)
		if err != nil || got != want {
			t.Errorf("ParseSpec(%q) = %#v, %v; want %#v", text, got, err, want)
		}
	}
}

func TestParseSpecRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                           "empty",
		"\n":                         "empty",
		"Oracle:x|u|secret":          "kind that xCAT knows",
		"Oracle:x":                   "Oracle",
		"dbname=x|u|secret":          "kind that xCAT knows",
		"/some/dir|u|secret":         "SQLite:",
		"./dir:|u|secret":            "kind that xCAT knows",
		"secret:secret|u|secret":     "kind that xCAT knows",
		" \t":                        "empty",
		"SQLite:":                    "no place",
		"mysql:|u|secret":            "no place",
		"user|secret:dbname=x|u|pwd": "kind that xCAT knows",
		"user@host:dbname=x":         "neither",
	} {
		_, err := ParseSpec(text)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("ParseSpec(%q): %v, want something with %q", text, err, says)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "pwd")) {
			t.Errorf("ParseSpec(%q) tells the password: %v", text, err)
		}
	}
}

func TestASpecDoesNotPrintItsPassword(t *testing.T) {
	spec := Spec{Kind: MySQL, Place: "dbname=x", User: "u", Password: "hush"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, spec); strings.Contains(text, "hush") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func TestDB2IsNamedAsAKindThatCannotBeRead(t *testing.T) {
	_, err := Open(t.Context(), Config{Cfgloc: "DB2:x|user|hush", Root: t.TempDir(), Getenv: noEnv}, rowsOf)
	if err == nil || !strings.Contains(err.Error(), "DB2") || !strings.Contains(err.Error(), "--cfgloc") || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
}

func TestFindSpecAsksInXCATsOrder(t *testing.T) {
	dir := t.TempDir()
	root, err := source.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	env := ""
	find := func(cfgloc string) Spec {
		t.Helper()
		spec, err := findSpec(root, Config{Cfgloc: cfgloc, Getenv: func(name string) string {
			if name != "XCATCFG" {
				t.Errorf("asks for %s", name)
			}
			return env
		}})
		if err != nil {
			t.Fatal(err)
		}
		return spec
	}
	expect := func(got Spec, place string) {
		t.Helper()
		if want := (Spec{Kind: SQLite, Place: place}); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	expect(find(""), "/etc/xcat")
	mkdir(t, dir, "opt/xcat/cfg")
	expect(find(""), "/opt/xcat/cfg")
	mkdir(t, dir, "etc/xcat")
	if err := os.WriteFile(filepath.Join(dir, "etc/xcat/cfgloc"), []byte("SQLite:/from/file \nSQLite:/second/line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(find(""), "/from/file")
	env = "/from/env"
	expect(find(""), "/from/file") // the variable is this host's, and the root another one's
	expect(find("SQLite:/from/flag"), "/from/flag")
	expect(find("relative"), "relative") // to the root
}

func TestARelativeDirectoryCountsFromWhereTheUserStands(t *testing.T) {
	root, err := source.OpenRoot("/")
	if err != nil {
		t.Fatal(err)
	}
	here := t.TempDir()
	t.Chdir(here)
	spec, err := findSpec(root, Config{Cfgloc: "SQLite:tables"})
	if err != nil || spec.Place != filepath.Join(here, "tables") {
		t.Errorf("got %v, %v", spec, err)
	}
}

func TestACfglocFileThatIsNoFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, dir, "etc/xcat/cfgloc")
	_, err := Open(t.Context(), Config{Root: dir, Getenv: noEnv}, rowsOf)
	if err == nil || !strings.Contains(err.Error(), "cfgloc") {
		t.Errorf("got %v", err)
	}
}

func mkdir(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestTheVariableCountsForThisHost(t *testing.T) {
	root, err := source.OpenRoot("/")
	must(t, err)
	defer func() { _ = root.Close() }()
	spec, err := findSpec(root, Config{Getenv: func(string) string { return "SQLite:/from/env" }})
	if err != nil || spec.Place != "/from/env" {
		t.Errorf("got %v, %v", spec, err)
	}
}

func TestBlanksOfAPasswordInAFileCount(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, dir, "etc/xcat")
	must(t, os.WriteFile(filepath.Join(dir, "etc/xcat/cfgloc"), []byte("mysql:dbname=x|u|pw \nsecond line\n"), 0o600))
	root, err := source.OpenRoot(dir)
	must(t, err)
	defer func() { _ = root.Close() }()
	for _, cfgloc := range []string{"", "/etc/xcat/cfgloc"} {
		spec, err := findSpec(root, Config{Cfgloc: cfgloc, Getenv: noEnv})
		if err != nil || spec.Password != "pw " {
			t.Errorf("--cfgloc %q: password %q, %v", cfgloc, string(spec.Password), err)
		}
	}
}
