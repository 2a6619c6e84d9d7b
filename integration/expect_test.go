package integration

import (
	"slices"
	"strings"
	"testing"
)

// expectLines holds a list against another and shows only what differs.
func expectLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	var b strings.Builder
	for _, l := range want {
		if !slices.Contains(got, l) {
			b.WriteString("\n  missing: " + l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			b.WriteString("\n  unasked: " + l)
		}
	}
	if b.Len() == 0 {
		b.WriteString("\n  same lines in another order or number:\n  got  " +
			strings.Join(got, "\n       ") + "\n  want " + strings.Join(want, "\n       "))
	}
	t.Errorf("%s differ:%s", what, b.String())
}

// expectText holds a text against another.
func expectText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s differs\n got: %q\nwant: %q", what, clip(got), clip(want))
	}
}

// expectContains asks for every one of parts in text.
func expectContains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %q: %q", what, part, clip(text))
		}
	}
}

// expectCode asks for an exit code.
func expectCode(t *testing.T, r result, want int) {
	t.Helper()
	if r.code != want {
		t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, want, clip(r.stdout), clip(r.stderr))
	}
}
