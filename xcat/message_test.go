package xcat

import "testing"

func TestMessageTextBearsItsLevel(t *testing.T) {
	for m, want := range map[Message]string{
		{Data, "x"}: "x", {Error, "x"}: "Error: x", {Warning, "x"}: "Warning: x",
	} {
		if got := m.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
