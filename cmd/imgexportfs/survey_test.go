package main

import (
	"errors"
	"slices"
	"strings"
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

func TestImagesAreChosenByNamesAndGlobsInTheirOrder(t *testing.T) {
	all := xcat.Offers([]string{"a", "a1", "a2", "b c", "b_c", "x[1]", "x1", "é9"})
	for names, want := range map[string]string{
		"":             "a|a1|a2|b c|b_c|x1|x[1]|é9",
		"nosuch|b c|a": "nosuch|b c|a",
		"a*":           "a|a1|a2",
		"a2|a?|a2":     "a2|a1",
		"x[1]":         "x[1]",
		`x\[1]*`:       "x[1]",
		"[^a]*c":       "b c|b_c",
		"?9":           "é9",
		"nosuch*|b c":  "nosuch*|b c",
		`back\slash`:   `back\slash`,
	} {
		var list []string
		if names != "" {
			list = strings.Split(names, "|")
		}
		offers, err := chosen(all, list)
		var got []string
		for _, o := range offers {
			got = append(got, o.Image)
		}
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%q: %q, %v; want %q", names, got, err, want)
		}
	}
	if offers, err := chosen(all, []string{"b_c"}); err != nil || offers[0].Clash == nil {
		t.Errorf("a clash is lost: %+v, %v", offers, err)
	}
	if _, err := chosen(all, []string{"a", "b[*"}); errorCode(t, err) != exitUsage || !strings.Contains(err.Error(), `"b[*"`) {
		t.Errorf("a bad pattern: %v", err)
	}
}
