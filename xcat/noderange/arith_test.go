package noderange

import (
	"errors"
	"math"
	"testing"
)

func TestEvaluateIsPerlsIntegerArithmetic(t *testing.T) {
	groups := []string{"12", "010", "", "7rest", "99999999999999999999", "x"}
	for expr, want := range map[string]int64{
		"1":                       1,
		"($1+100)":                112,
		" ( $1 + 100 ) ":          112,
		"$2":                      10, // a string is decimal
		"$3+$6+$9":                0,
		"$4*2":                    14,
		"$5":                      math.MaxInt64,
		"010":                     8, // a literal is octal
		"2+3*4":                   14,
		"(2+3)*4":                 20,
		"7/2":                     3,
		"-7/2":                    -3,
		"-7%3":                    -1,
		"7%-3":                    1,
		"10-4-3":                  3,
		"100/10/2":                5,
		"2*-3":                    -6,
		"- -3":                    3,
		"+4":                      4,
		"5- -2":                   7,
		"((((1))))":               1,
		"9223372036854775807 + 1": math.MinInt64,
	} {
		got, err := evaluate(expr, groups)
		if err != nil || got != want {
			t.Errorf("evaluate(%q) = %d, %v; want %d", expr, got, err, want)
		}
	}
}

func TestEvaluateTellsNonsenseFromPerl(t *testing.T) {
	for expr, want := range map[string]error{
		"":                    errNoArithmetic,
		"()":                  errNoArithmetic,
		"(host-)":             errNoArithmetic,
		"1+":                  errNoArithmetic,
		"(1":                  errNoArithmetic,
		"1)":                  errNoArithmetic,
		"1 2":                 errNoArithmetic,
		"1--2":                errNoArithmetic,
		"1++":                 errNoArithmetic,
		"--1":                 errNoArithmetic,
		"1/0":                 errNoArithmetic,
		"1%0":                 errNoArithmetic,
		"08":                  errNoArithmetic,
		"(host)":              errNotSupported,
		"(a2idx('b'))":        errNotSupported,
		"(host-1)":            errNotSupported,
		"2**3":                errNotSupported,
		"1<<2":                errNotSupported,
		"1.5":                 errNotSupported,
		"0x1f":                errNotSupported,
		"1_000":               errNotSupported,
		"$x":                  errNotSupported,
		"$":                   errNotSupported,
		"1,2":                 errNotSupported,
		"1?2:3":               errNotSupported,
		"9223372036854775808": errNotSupported,
	} {
		if v, err := evaluate(expr, nil); !errors.Is(err, want) {
			t.Errorf("evaluate(%q) = %d, %v; want %v", expr, v, err, want)
		}
	}
}

func FuzzEvaluateEnds(f *testing.F) {
	f.Add("($1+100)*(2-$2)%7")
	f.Add("host(1,2)-")
	f.Fuzz(func(t *testing.T, expr string) {
		if len(expr) > 1000 {
			return
		}
		v, err := evaluate(expr, []string{"5"})
		if err != nil && !errors.Is(err, errNoArithmetic) && !errors.Is(err, errNotSupported) {
			t.Errorf("%q: %v", expr, err)
		}
		if again, _ := evaluate("("+expr+")", []string{"5"}); err == nil && again != v {
			t.Errorf("%q is %d, and %d in parentheses", expr, v, again)
		}
	})
}
