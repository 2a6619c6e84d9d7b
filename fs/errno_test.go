package fs

import (
	"fmt"
	"testing"
	"time"
)

func TestAChangeIsNewsOnceInAWhile(t *testing.T) {
	var c changes
	now := time.Now()
	for i, step := range []struct {
		text string
		at   time.Duration
		want bool
	}{
		{"a", 0, true}, {"a", 1, false}, {"b", 1, true}, {"a", 2, false}, {"a", changeAgain, true}, {"a", changeAgain + 1, false},
	} {
		if got := c.isNews(step.text, now.Add(step.at)); got != step.want {
			t.Errorf("step %d: %q is news: %v, want %v", i, step.text, got, step.want)
		}
	}
	for i := range 10 * changesMax {
		c.isNews(fmt.Sprint(i), now)
	}
	if len(c.logged) > changesMax {
		t.Errorf("%d changes are remembered", len(c.logged))
	}
}
