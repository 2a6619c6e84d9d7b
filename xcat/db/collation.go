package db

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Collation is a server's rule by which the values of a column are equal, by MySQL's name
// of it. The zero value compares byte by byte.
type Collation string

// swedishLetters are the capital letters to which latin1_swedish_ci, the default where the
// character set is latin1, takes the characters
// from U+00C0 to U+00FF. The three additional letters of Swedish stand behind Z, where
// ASCII has brackets.
var swedishLetters = []rune(`AAAA\[\CEEEEIIIIDNOOOO]×ØUUUYYÞßAAAA\[\CEEEEIIIIDNOOOO]÷ØUUUYYÞÿ`)

// Key returns a text that is the same for all values that the collation takes for equal.
// It is exact for latin1_swedish_ci. In other collations that ignore case, it knows the
// letters with accents by their decomposition in Unicode, and no letter with a stroke.
func (c Collation) Key(value string) string {
	if c == "" {
		return value
	}
	name := string(c)
	if !strings.Contains(name, "_0900_") && !strings.Contains(name, "_nopad_") {
		value = strings.TrimRight(value, " ")
	}
	switch {
	case !strings.HasSuffix(name, "_ci") || !utf8.ValidString(value):
		return value
	case strings.HasPrefix(name, "latin1_swedish_"):
		return strings.Map(swedishLetter, value)
	case strings.Contains(name, "_as_"):
		return strings.Map(unicode.ToUpper, value)
	case strings.Contains(name, "_general_"):
		return strings.Map(baseLetter, strings.ReplaceAll(value, "ß", "S"))
	}
	return strings.Map(baseLetter, strings.ReplaceAll(value, "ß", "SS"))
}

func swedishLetter(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 0xC0 <= r && r <= 0xFF:
		return swedishLetters[r-0xC0]
	}
	return r
}

// baseLetter is the letter without case and accents.
func baseLetter(r rune) rune {
	decomposed := []rune(norm.NFD.String(string(r)))
	for _, mark := range decomposed[1:] {
		if !unicode.Is(unicode.Mn, mark) {
			return r
		}
	}
	return unicode.ToUpper(decomposed[0])
}
