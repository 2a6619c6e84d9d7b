package db

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// fuzzedSecret stands for a password. Nothing else of an input holds it.
const fuzzedSecret = "hUsH#0815"

// FuzzParseSpec holds database locations to this: what is understood is printed so that it
// is understood in the same way, and neither an error nor the name of the database shows a
// password, wherever it stands.
func FuzzParseSpec(f *testing.F) {
	for _, text := range []string{
		"SQLite:/etc/xcat", "/etc/xcat", ".", "CSV:/dump \n", "mysql:dbname=x;host=h|user|§", "Pg:dbname=x;host=h|user|§|more\n",
		"mysql:dbname=x;password=§", "Pg:dbname='a b' password='§'|u", "mysql:x:h:§", "pg:dbname=x;sslpassword=§;sslmode=require", "Pg:host=[::1;port=§|a|b",
		"mysq1:x|u|§", "dbname=x|u|§", "DB2:x|u|§", "mysql:|§", " mysql:x|u|§", "SQLite:", "mysql:password=x;§=y|u|p", "Pg:§=1", "mysql:§", "|||§", "Pg:x|§|§",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "§", fuzzedSecret)
		spec, err := ParseSpec(text)
		if err != nil {
			expectNoSecret(t, text, err.Error())
			return
		}
		if strings.TrimSpace(spec.Place) == "" {
			t.Errorf("%q has no place, and is understood as %#v", text, spec)
		}
		if again, err := ParseSpec(written(spec)); err != nil || again != spec {
			t.Errorf("%q is understood as %#v, and what that is written as, %q, as %#v, %v", text, spec, written(spec), again, err)
		}
		expectHiddenPassword(t, text, spec)
	})
}

// written is a location as a cfgloc holds it.
func written(s Spec) string {
	text := string(s.Kind) + ":" + s.Place
	if s.User != "" || s.Password != "" {
		text += "|" + s.User + "|" + string(s.Password)
	}
	return text
}

// expectHiddenPassword holds everything that is printed of a location to show no password.
func expectHiddenPassword(t *testing.T, text string, spec Spec) {
	t.Helper()
	if strings.Contains(string(spec.Password), fuzzedSecret) && !strings.Contains(spec.Place+spec.User, fuzzedSecret) {
		expectNoSecret(t, text, spec.String(), fmt.Sprintf("%v %+v %#v %s", spec, spec, spec, spec.Password))
	}
	var err error
	switch spec.Kind {
	case MySQL:
		_, err = newMySQLConfig(spec)
	case PostgreSQL:
		_, err = newPgConfig(spec)
	default:
		return
	}
	if err != nil && secretIsValue(spec) {
		expectNoSecret(t, text, err.Error())
	}
}

// secretIsValue reports whether the secret stands where a password can: in the place of
// one, or in the value of a parameter. The names of parameters and files are shown.
func secretIsValue(spec Spec) bool {
	if !strings.Contains(spec.Place, fuzzedSecret) {
		return true
	}
	for part := range strings.FieldsFuncSeq(spec.Place, func(r rune) bool { return strings.ContainsRune(";: \t", r) }) {
		name, value, named := strings.Cut(part, "=")
		if strings.Contains(part, fuzzedSecret) && (!named || strings.Contains(name, fuzzedSecret) || strings.TrimSpace(value) == "" || !strings.Contains(strings.ToLower(name), "pass")) {
			return false
		}
	}
	return true
}

func expectNoSecret(t *testing.T, input string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, fuzzedSecret) {
			t.Errorf("the password of %q is shown: %s", input, text)
		}
	}
}

// FuzzParams holds the parameters of servers to this: what PostgreSQL's are understood as
// is what they are when they are quoted, and MySQL's are what is between the separators.
func FuzzParams(f *testing.F) {
	for _, text := range []string{
		"dbname=xcatdb;host=mn", "host=mn:port=3307:database=x", "xcatdb;mn;3307", "dbname=x;host=[fd00::1];port=1", "dbname=x;a[=b]c;[;]",
		`dbname='a;b c';host='it\'s \\ x';`, "dbname=''", "a=b=c", " a = b", "'", "a='b", `a='\`, "=x", ";;;", "[::", "a=[b:c",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		mysql := parseMySQLParams(text)
		for name, value := range mysql {
			if strings.ContainsAny(name+value, "[]") || strings.Contains(name, "=") {
				t.Errorf("%q has the parameter %q=%q", text, name, value)
			}
		}
		pg, err := parsePgParams(text)
		if err != nil {
			return
		}
		maps.DeleteFunc(pg, func(_, value string) bool { return value == "" })
		for name := range pg {
			if name == "" {
				return // which refuseRest names
			}
		}
		if again, err := parsePgParams(pg.keywords()); err != nil || !maps.Equal(again, pg) {
			t.Errorf("%q is understood as %q, and what that is written as, %q, as %q, %v", text, pg, pg.keywords(), again, err)
		}
	})
}
