package db

import (
	"os"
	"strings"
	"testing"
)

func TestCollationKeys(t *testing.T) {
	const swedish, general, unicode, new8, cs, bin, nopad Collation = "latin1_swedish_ci", "utf8mb4_general_ci", "utf8mb3_unicode_ci", "utf8mb4_0900_ai_ci", "latin1_general_cs", "latin1_bin", "latin1_swedish_nopad_ci"
	for _, c := range []struct {
		collation Collation
		a, b      string
		equal     bool
	}{
		{"", "a", "A", false}, {"", "a", "a ", false}, {"", "\xe9", "\xe9", true},
		{swedish, "MixLinux", "mixLINUX  ", true}, {swedish, "a", " a", false}, {swedish, "a", "a\t", false},
		{swedish, "e", "\u00e9", true}, {swedish, "\u00e4", "a", false}, {swedish, "\u00e4", "\u00c4", true}, {swedish, "\u00e4", "\u00e6", true},
		{swedish, "\u00fc", "y", true}, {swedish, "\u00df", "ss", false}, {swedish, "\u00e4", "\\", true}, {swedish, "\u20ac", "E", false},
		{general, "\u00e4", "A", true}, {general, "\u00df", "s", true}, {general, "a", "a ", true}, {general, "\u0416", "\u0436", true}, {general, "\u00f8", "o", false},
		{unicode, "\u00df", "SS", true}, {unicode, "\u00e4", "A", true},
		{new8, "a", "A", true}, {new8, "a", "a ", false},
		{"utf8mb4_0900_as_ci", "\u00e4", "a", false}, {"utf8mb4_0900_as_ci", "\u00e4", "\u00c4", true},
		{cs, "a", "A", false}, {cs, "a", "a ", true}, {bin, "a", "a ", true}, {bin, "a", "A", false}, {nopad, "a", "a ", false}, {nopad, "\u00e4", "a", false},
		{general, "a\xe9", "a\xe8", false}, {swedish, "\uac00", "\uac01", false}, {general, "\uac00", "\u1100", false},
	} {
		if got := c.collation.Key(c.a) == c.collation.Key(c.b); got != c.equal {
			t.Errorf("%q: %q and %q are equal: %v, want %v", c.collation, c.a, c.b, got, c.equal)
		}
	}
}

// The file holds what WEIGHT_STRING of MariaDB 10.11 gives for the 256 bytes of latin1.
func TestSwedishIsWhatTheServerMakesOfIt(t *testing.T) {
	text, err := os.ReadFile("testdata/latin1_swedish_ci.txt")
	must(t, err)
	weights := strings.Fields(string(text))
	if len(weights) != 256 {
		t.Fatalf("%d weights", len(weights))
	}
	// Latin-1 of MySQL is Windows-1252, which has other characters from 0x80 to 0x9f. The
	// collation takes none of these for equal to another one.
	for a := range 256 {
		for b := range 256 {
			if a >= 0x80 && a < 0xA0 || b >= 0x80 && b < 0xA0 {
				continue
			}
			x, y := "."+string(rune(a))+".", "."+string(rune(b))+"."
			if got, want := Collation("latin1_swedish_ci").Key(x) == Collation("latin1_swedish_ci").Key(y), weights[a] == weights[b]; got != want {
				t.Errorf("U+%04X and U+%04X are equal: %v, want %v", a, b, got, want)
			}
		}
	}
}
