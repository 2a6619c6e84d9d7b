package main

import (
	"errors"
	"testing"

	"imgexportfs/xcat"
)

func TestRefusalsAreSaidOnce(t *testing.T) {
	known := errorMessage("the name holds a slash")
	f := finding{problems: []xcat.Message{known}, refusal: known.Text}
	f.refuse(nil)
	f.refuse(errors.New(known.Text))
	f.refuse(errors.New("clashes, too"))
	if len(f.problems) != 2 || f.problems[1] != errorMessage("clashes, too") || f.refusal != known.Text {
		t.Errorf("got %+v", f)
	}
}

func TestARefusalGivesTheFirstErrorAsItsReason(t *testing.T) {
	problems := []xcat.Message{{Level: xcat.Warning, Text: "beware"}, errorMessage("first"), errorMessage("second")}
	if got := firstReason(problems); got != "first" {
		t.Errorf("got %q", got)
	}
}

func TestCheckTakesNamesInTheirOrder(t *testing.T) {
	all := []xcat.Offer{{Image: "a", Name: "a"}, {Image: "b c", Name: "b_c", Clash: errors.New("clash")}}
	if got := chosen(all, nil); len(got) != 2 {
		t.Errorf("no names: %+v", got)
	}
	got := chosen(all, []string{"nosuch", "b c", "a"})
	if len(got) != 3 || got[0].Image != "nosuch" || got[1].Clash == nil || got[2].Name != "a" {
		t.Errorf("got %+v", got)
	}
}
