package main

import (
	"errors"
	"slices"
	"testing"

	"imgexportfs/xcat"
)

func errorMessage(text string) xcat.Message { return xcat.Message{Level: xcat.Error, Text: text} }

// What the rules refuse is refused; what cannot be read at the moment never is.
func TestAReportTellsRefusedFromUnreadable(t *testing.T) {
	warning, one, two := xcat.Message{Level: xcat.Warning, Text: "beware"}, errorMessage("one"), errorMessage("two")
	unreadable := errors.New("image a: /x cannot be read at the moment: input/output error")
	for _, test := range []struct {
		name       string
		clash      error
		exported   xcat.Export
		unreadable error
		state      string
		problems   []string
	}{
		{"fine", nil, xcat.Export{}, nil, "ok", []string{}},
		{"a problem", nil, xcat.Export{Messages: []xcat.Message{warning}}, nil, "1 problem", []string{"Warning: beware"}},
		{"refused", nil, xcat.Export{Refused: true, Messages: []xcat.Message{warning, one, two}}, nil,
			"refused: one", []string{"Warning: beware", "Error: one", "Error: two"}},
		{"a clash", errors.New("clash"), xcat.Export{Messages: []xcat.Message{warning}}, nil,
			"refused: clash", []string{"Warning: beware", "Error: clash"}},
		{"said once", errors.New("one"), xcat.Export{Refused: true, Messages: []xcat.Message{one}}, nil,
			"refused: one", []string{"Error: one"}},
		{"unreadable", nil, xcat.Export{Messages: []xcat.Message{one}}, unreadable,
			"unreadable: " + unreadable.Error(), []string{"Error: one", "Error: " + unreadable.Error()}},
	} {
		r := newImageReport(xcat.Offer{Image: "a", Name: "a", Clash: test.clash}, nil, &test.exported, test.unreadable)
		if r.State != test.state || !slices.Equal(r.Problems, test.problems) || r.Problems == nil {
			t.Errorf("%s: state %q, problems %q; want %q, %q", test.name, r.State, r.Problems, test.state, test.problems)
		}
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
