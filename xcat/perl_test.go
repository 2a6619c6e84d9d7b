package xcat

import (
	"slices"
	"testing"
)

func TestIsSetIsPerlsTruth(t *testing.T) {
	for s, want := range map[string]bool{"": false, "0": false, "00": true, " ": true, "no": true, "0.0": true} {
		if isSet(s) != want {
			t.Errorf("isSet(%q) = %v", s, !want)
		}
	}
}

func TestSplitListDropsEmptyPartsAtTheEndOnly(t *testing.T) {
	for s, want := range map[string][]string{
		"": {}, ",": {}, "a": {"a"}, "a,b": {"a", "b"}, "a,": {"a"}, "a,,,": {"a"},
		",a": {"", "a"}, "a,,b": {"a", "", "b"}, " a, b ": {" a", " b "},
	} {
		if got := splitList(s, ","); !slices.Equal(got, want) {
			t.Errorf("splitList(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestIsSpaceIsPerlsClass(t *testing.T) {
	var got []byte
	for c := range 256 {
		if isSpace(byte(c)) {
			got = append(got, byte(c))
		}
	}
	if want := "\t\n\v\f\r "; string(got) != want {
		t.Errorf("white space %q, want %q", got, want)
	}
}
