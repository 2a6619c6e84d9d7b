package fs

import (
	"slices"
	"testing"
)

func TestWarmerTakesWhatWasLookedAtLastFirst(t *testing.T) {
	at := func(image string) exhibit { return exhibit{"", image} }
	w := newWarmer(nil)
	w.add([]exhibit{at("a"), at("b"), at("c"), at("d")})
	w.hurry(at("c"))
	w.hurry(at("b"))
	w.hurry(at("unknown"))
	w.add([]exhibit{at("e"), at("a")}) // a is queued already
	var order []string
	for of, ok := w.pop(); ok; of, ok = w.pop() {
		order = append(order, of.image)
	}
	if want := []string{"b", "c", "a", "d", "e"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
}

func TestOnlyNewImagesAreNews(t *testing.T) {
	before := newDirectory([]string{"a", "b"})
	if got := news(before, newDirectory([]string{"a", "b", "c", "x/y"})); len(got) != 1 || got[0].image != "c" {
		t.Errorf("news %v", got)
	}
	if got := news(nil, before); len(got) != 2 {
		t.Errorf("at first %v", got)
	}
}
