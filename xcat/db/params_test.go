package db

import (
	"maps"
	"strings"
	"testing"
)

func TestMySQLParamsAreReadAsPerlDoes(t *testing.T) {
	for text, want := range map[string]params{
		"dbname=xcatdb;host=mn":                      {"dbname": "xcatdb", "host": "mn"},
		"host=mn:port=3307:database=xcatdb":          {"database": "xcatdb", "host": "mn", "port": "3307"},
		"xcatdb":                                     {"dbname": "xcatdb"},
		"xcatdb;mn;3307":                             {"dbname": "xcatdb", "host": "mn", "port": "3307"},
		"xcatdb;port=3307;mn":                        {"dbname": "xcatdb", "host": "mn", "port": "3307"},
		"dbname=x;host=[fd00::1];port=1":             {"dbname": "x", "host": "fd00::1", "port": "1"},
		"dbname=x;host=[::1]":                        {"dbname": "x", "host": "::1"},
		"dbname=x;mysql_socket=/run/my sql/s;":       {"dbname": "x", "mysql_socket": "/run/my sql/s"},
		"dbname=x;a=b=c; host = mn ":                 {"dbname": "x", "a": "b=c", "host": "mn"},
		"dbname=x;mysql_socket=/a[1];host=localhost": {"dbname": "x", "mysql_socket": "/a1", "host": "localhost"},
		"": {},
	} {
		if got := parseMySQLParams(text); !maps.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestPgParamsAreReadAsLibpqDoes(t *testing.T) {
	for text, want := range map[string]params{
		"dbname=xcatdb;host=mn":             {"dbname": "xcatdb", "host": "mn"},
		"host=mn port=5433 dbname=xcatdb":   {"dbname": "xcatdb", "host": "mn", "port": "5433"},
		`dbname='a;b c';host='it\'s \\ x';`: {"dbname": "a;b c", "host": `it's \ x`},
		"dbname='';host=fd00::1":            {"dbname": "", "host": "fd00::1"},
	} {
		got, err := parsePgParams(text)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"xcatdb", "dbname=x;host", "password='hush", "a b=hush"} {
		if _, err := parsePgParams(text); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What the drivers are told comes back from it.
func TestPgKeywordsAreQuoted(t *testing.T) {
	p := params{"dbname": `it's; a \ name`, "host": "/run/a b", "empty": ""}
	got, err := parsePgParams(p.keywords())
	delete(p, "empty")
	if err != nil || !maps.Equal(got, p) {
		t.Errorf("wrote %q, read %q, %v", p.keywords(), got, err)
	}
}
