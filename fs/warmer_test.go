package fs

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestWarmerTakesWhatWasLookedAtLastFirst(t *testing.T) {
	at := func(image string) view { return view{"", image} }
	w := newWarmer(nil)
	w.add([]view{at("a"), at("b"), at("c"), at("d")})
	w.hurry(at("c"))
	w.hurry(at("b"))
	w.hurry(at("unknown"))
	w.add([]view{at("e"), at("a")}) // a is queued already
	var order []string
	for of, ok := w.pop(); ok; of, ok = w.pop() {
		order = append(order, of.image)
	}
	if want := []string{"b", "c", "a", "d", "e"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
}

// A lookup costs the same however many images wait to be sized.
func TestHurryingAViewTakesNoSearch(t *testing.T) {
	const views = 200_000
	w := newWarmer(nil)
	list := make([]view, views)
	for i := range list {
		list[i].image = fmt.Sprint(i)
	}
	w.add(list)
	began := time.Now()
	for i := range list {
		w.hurry(list[views-1-i])
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%d lookups take %v", views, took)
	}
}

func TestOnlyNewImagesAreNews(t *testing.T) {
	before := newNameTable([]string{"a", "b"})
	if got := newNameTable([]string{"a", "b", "c", "x/y"}).news(before); len(got) != 1 || got[0].image != "c" {
		t.Errorf("news %v", got)
	}
	if got := before.news(nil); len(got) != 2 {
		t.Errorf("at first %v", got)
	}
}
