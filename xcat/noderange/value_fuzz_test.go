package noderange

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzValue holds values of attributes to this: an answer of a bounded length in a bounded
// time, an error without a result, and a value that is none of the two forms as it is.
func FuzzValue(f *testing.F) {
	for _, pair := range [][2]string{
		{"n1", "plain"}, {"n1", "/n(.*)/a$1/"}, {"n12", "|n(\\d+)|10.0.0.($1+1)|"}, {"rack3n7", "|10.($1).($2*2)|"}, {"n(1)", "|n(.*)|($1)|"}, {"n", "|x|y|"}, {"n1", "||x|"},
		{"n1", "|(|x|"}, {"n1", "|n|((((1))))|"}, {"n1", "|n|(1/0)|"}, {"n1", "|n|(9223372036854775807+1)|"}, {"n1", "|n|(-9223372036854775808/-1)|"}, {"n1", "|n|(08)|"}, {"n1", "|n|($99999999999999999999)|"},
		{"n1", "|(n{1000}){1000}|x|"}, {"n1", "|(?:.?){1000}(?:.?){1000}|x|"}, {"\xff1", "|.|(1)|"}, {"n1", "|"}, {"n1", "//"}, {"n1", "///"}, {"n1", "|n|)(|"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, node, value string) {
		began := time.Now()
		got, _, err := Value(node, value)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%q for %q takes %v", value, node, took)
		}
		switch isForm := len(value) > 1 && strings.ContainsRune("/|", rune(value[0])) && value[0] == value[len(value)-1]; {
		case err != nil && got != "":
			t.Errorf("%q for %q is %q, %v", value, node, got, err)
		case !isForm && (got != value || err != nil):
			t.Errorf("%q for %q is %q, %v; it is no expression", value, node, got, err)
		case isForm && len(got) > 3*valueMax+len(node):
			t.Errorf("%q for %q has %d bytes", value, node, len(got))
		}
	})
}

// FuzzArithmetic compares with Go's own parser, whose integers, operators and order of
// operations are Perl's where both have them.
func FuzzArithmetic(f *testing.F) {
	for _, expr := range []string{
		"1+2*3", "(1+2)*3", "-7/2", "-7%3", "7%-3", "010", "08", "1--1", "1- -1", "+-+1", "9223372036854775807+1", "-9223372036854775808/-1", "-9223372036854775807-1", "1/0", "5%0", "()", "1 2", "((1)", "99999999999999999999", "1**2", "1//2", "0", "00", "- 1",
	} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		if strings.Trim(expr, "0123456789+-*/%() ") != "" || strings.Contains(expr, "//") || strings.Contains(expr, "/*") || strings.Contains(expr, "**") || len(expr) > 10_000 {
			return // Go's, Perl's, or a comment
		}
		got, err := evaluate(expr, nil)
		tree, noTree := parser.ParseExpr(expr)
		want, ok := int64(0), false
		if noTree == nil {
			want, ok = goValue(tree)
		}
		if ok != (err == nil) || ok && got != want {
			t.Errorf("%q is %d, %v; Go says %d, %v (%v)", expr, got, err, want, ok, noTree)
		}
	})
}

// goValue is the value of an expression in Go with numbers that wrap around.
func goValue(e ast.Expr) (int64, bool) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return goValue(e.X)
	case *ast.BasicLit:
		base := 10
		if len(e.Value) > 1 && e.Value[0] == '0' {
			base = 8
		}
		v, err := strconv.ParseInt(e.Value, base, 64)
		return v, err == nil && e.Kind == token.INT
	case *ast.UnaryExpr:
		v, ok := goValue(e.X)
		if e.Op == token.SUB {
			v = -v
		}
		return v, ok && (e.Op == token.SUB || e.Op == token.ADD)
	case *ast.BinaryExpr:
		a, okA := goValue(e.X)
		b, okB := goValue(e.Y)
		return goOperation(a, b, e.Op, okA && okB)
	}
	return 0, false
}

func goOperation(a, b int64, op token.Token, ok bool) (int64, bool) {
	switch {
	case !ok:
	case op == token.ADD:
		return a + b, true
	case op == token.SUB:
		return a - b, true
	case op == token.MUL:
		return a * b, true
	case b == 0:
	case op == token.QUO:
		return a / b, true
	case op == token.REM:
		return a % b, true
	}
	return 0, false
}
