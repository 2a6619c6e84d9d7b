package xcat

import "strings"

// imgexport is written in Perl, and some properties of Perl are part of its rules.

// isSet is Perl's truth of a string: a column that is empty or "0" counts as not set
// wherever imgexport asks for it.
func isSet(s string) bool { return s != "" && s != "0" }

// splitList is Perl's split: empty parts are kept, but not at the end.
func splitList(s, sep string) []string {
	parts := strings.Split(s, sep)
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// isSpace is Perl's \s on bytes.
func isSpace(c byte) bool {
	return c == ' ' || c >= '\t' && c <= '\r' // \t \n \v \f \r
}
