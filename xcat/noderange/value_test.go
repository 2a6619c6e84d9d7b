package noderange

import (
	"strings"
	"testing"
	"time"
)

func TestNodeValue(t *testing.T) {
	for name, c := range map[string]struct{ node, value, want string }{
		"plain":                                 {"n3", "syslog,setup -x", "syslog,setup -x"},
		"a path is plain":                       {"n3", "/a/b/c/", "/a/b/c/"},
		"substitution":                          {"n3", "/^n/boot-/", "boot-3"},
		"text is taken literally":               {"n3", "/n(.*)/script$1/", "script$1"},
		"the first match alone":                 {"n1n2", "/n/x/", "x1n2"},
		"an empty text":                         {"n3", "/n//", "3"},
		"all of it away":                        {"n3", "/.*//", ""},
		"arithmetic":                            {"n12", `|n(\d+)|slot($1+100) -x|`, "slot112 -x"},
		"two expressions":                       {"r2n12", `|r(\d+)n(\d+)|rack($1*10)-($2+$1)|`, "rack20-14"},
		"nested":                                {"n7", `|n(\d+)|s((($1-1)/4)+1)|`, "s2"},
		"text with a bar":                       {"n7", `|n(\d+)|a|b($1)|`, "a|b7"},
		"implied expression":                    {"n12", "|s($1+1)|", "s13"},
		"implied, zeros dropped":                {"n012", "|s($1+1)|", "s13"},
		"implied, two numbers":                  {"r1n12", "|s($1)-($2)|", "s1-12"},
		"implied, to the end":                   {"r1n12x", "|s($2)|", "s12"},
		"without parentheses":                   {"n12", `|n(\d+)|slot$1|`, "slot$1"},
		"no arithmetic is nothing":              {"n12", "|(host-)|", ""},
		"no arithmetic, something left":         {"n12", "|a(host-)b|", "ab"},
		"division by zero is nothing":           {"n12", "|a($1/0)|", "a"},
		"unbalanced":                            {"n12", "|a($1|", "a($1"},
		"closing first":                         {"n12", "|a)($1)|", "a)($1)"},
		"a part of the name cannot be computed": {"rack12", `|(\d+)|($1+1)|`, "rack"},
		"a bar alone":                           {"n1", "|", "|"},
		"empty bars":                            {"n1", "||", ""},
		"a number alone stays as it is":         {"n012", `|n(\d+)|s(($1))-($1+0)|`, "s012-12"},
		"a missing group alone":                 {"n12", "|s($3)|", "s"},
		"a missing group is zero":               {"n12", "|s($3+1)|", "s1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, sentence, err := Value(c.node, c.value)
			if err != nil || got != c.want || sentence != "" {
				t.Errorf("got %q, %q, %v; want %q", got, sentence, err, c.want)
			}
		})
	}
}

func TestNodeValueWithoutAMatchIsTheName(t *testing.T) {
	for _, value := range []string{"/^x/boot-/", `|x(\d+)|slot($1)|`} {
		got, sentence, err := Value("n3", value)
		if err != nil || got != "n3" || !strings.Contains(sentence, "does not match") {
			t.Errorf("%s: got %q, %q, %v", value, got, sentence, err)
		}
	}
}

func TestNodeValueRefusesWhatItCannotCompute(t *testing.T) {
	for value, says := range map[string]string{
		"/(?=n)/x/":         "not supported",
		"/(n/x/":            "not supported",
		"//x/":              "empty",
		"|(a2idx('b'))|":    "integer arithmetic",
		"|.*|($1<<2)|":      "integer arithmetic",
		`|n(\d+)|s($1**2)|`: "integer arithmetic",
	} {
		got, _, err := Value("n3", value)
		if err == nil || !strings.Contains(err.Error(), says) || got != "" {
			t.Errorf("%s: got %q, %v; want an error with %q", value, got, err, says)
		}
	}
}

// xCAT computes what it has put into a value again, which may never end.
func TestNodeValueAlwaysEnds(t *testing.T) {
	long := strings.Repeat
	for _, c := range []struct{ node, value, says string }{
		{"($1)", "|(.*)|($1)|", "parentheses"},
		{"(1)", "|(.*)|($1)|", "parentheses"},
		{"x)", "|(.*)|a($1)|", "parentheses"},
		{long("x", 1000), "|(.*)|" + long("($1)", 10_000) + "|", "longer than"},
		{"n1", "|" + long("(1)", 100_000) + "|", "at most"},
		{"n1", "|" + long("(", 1<<20) + long(")", 1<<20) + "|", "at most"},
		{long("n1", 1000), "|n($1)|", "at most"},
	} {
		got, _, err := Value(c.node, c.value)
		if err == nil || !strings.Contains(err.Error(), c.says) || got != "" {
			t.Errorf("%.20s, %.20s: %.100q, %.100v; want %q", c.node, c.value, got, err, c.says)
		}
	}
	for _, value := range []string{
		"|" + long("(1)", 2_000) + "|", "|" + long("(", 30_000) + "1" + long(")", 30_000) + "|", "|" + long("(", 60_000) + "|", "|" + long("()", 3_000) + "|",
	} {
		if _, _, err := Value(long("n1", 500), value); err != nil {
			t.Errorf("%.20s: %.100v", value, err)
		}
	}
	plain := long("script,", 100_000)
	if got, _, err := Value("n1", plain); got != plain || err != nil {
		t.Errorf("a plain value of any length: %.100v", err)
	}
}

// A short row can ask for millions of instructions, each of which is tried at each byte of
// the name.
func TestAValueTakesBoundedTime(t *testing.T) {
	node := strings.Repeat("n", nameMax)
	for _, pattern := range []string{strings.Repeat("(?:.?){1000}", 300), strings.Repeat("(a?b?c?){300}", 300), strings.Repeat("((.{10}?){10}){10}", 300)} {
		began := time.Now()
		got, _, err := Value(node, "|"+pattern+"|x|")
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "repeats too much") || got != "" || took > 30*time.Second {
			t.Errorf("%.20s...: %.100q, %.300v after %v", pattern, got, err, took)
		}
	}
	if got, _, err := Value("n12", `|n(\d{1,1000})|x($1+1)|`); got != "x13" || err != nil {
		t.Errorf("a repetition that is small enough gives %q, %v", got, err)
	}
}
