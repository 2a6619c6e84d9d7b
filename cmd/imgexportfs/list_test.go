package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"imgexportfs/xcat"
)

func errorMessage(text string) xcat.Message {
	return xcat.Message{Level: xcat.Error, Text: text}
}

func TestListTableIsAlignedAndEscaped(t *testing.T) {
	rows := []listRow{
		newListRow(finding{
			offer: xcat.Offer{Image: "compute", Name: "compute"},
			row:   xcat.Row{"provmethod": "netboot", "osvers": "rhels9.2", "osarch": "x86_64", "profile": "compute"},
			size:  1536,
		}),
		newListRow(finding{
			offer:    xcat.Offer{Image: "c69\ttab\n\x1b[31m", Name: "c69_tab_"},
			row:      xcat.Row{"provmethod": "install"},
			size:     7 << 30,
			problems: []xcat.Message{errorMessage("one")},
		}),
		newListRow(finding{
			offer:    xcat.Offer{Image: "bad", Name: "bad"},
			refusal:  "a\nb",
			problems: []xcat.Message{errorMessage("a\nb"), errorMessage("c")},
		}),
	}
	for _, test := range []struct {
		plain bool
		want  string
	}{
		{false, `
IMAGE               PROVMETHOD  OSVERS    ARCH    PROFILE  SIZE      STATE
compute             netboot     rhels9.2  x86_64  compute  1.50 KiB  ok
c69\ttab\n\x1b[31m  install     -         -       -        7 GiB     1 problem
bad                 -           -         -       -        -         refused: a\nb
`},
		{true, `
IMAGE               PROVMETHOD  OSVERS    ARCH    PROFILE  SIZE        STATE
compute             netboot     rhels9.2  x86_64  compute  1536        ok
c69\ttab\n\x1b[31m  install     -         -       -        7516192768  1 problem
bad                 -           -         -       -        -           refused: a\nb
`},
	} {
		var got bytes.Buffer
		if err := printTable(&got, rows, test.plain); err != nil {
			t.Fatal(err)
		}
		if got.String() != test.want[1:] {
			t.Errorf("--bytes=%v: got\n%s\nwant\n%s", test.plain, got.String(), test.want[1:])
		}
	}
}

func TestListJSONHoldsEverything(t *testing.T) {
	var got bytes.Buffer
	err := printJSON(&got, []listRow{
		newListRow(finding{offer: xcat.Offer{Image: "a <b>", Name: "a_<b>"}, size: 10}),
		newListRow(finding{offer: xcat.Offer{Image: "bad"}, refusal: "why", problems: []xcat.Message{
			errorMessage("why"), {Level: xcat.Warning, Text: "beware"},
		}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.String(), "a <b>") {
		t.Errorf("names are escaped for HTML: %s", got.String())
	}
	var rows []struct {
		Image, Name, State string
		Size               *int64
		Problems           []string
	}
	if err := json.Unmarshal(got.Bytes(), &rows); err != nil || len(rows) != 2 {
		t.Fatalf("%v: %s", err, got.String())
	}
	if r := rows[0]; r.Name != "a_<b>" || r.State != "ok" || r.Size == nil || *r.Size != 10 || r.Problems == nil {
		t.Errorf("good image: %+v", r)
	}
	if r := rows[1]; r.State != "refused: why" || r.Size != nil || strings.Join(r.Problems, "|") != "Error: why|Warning: beware" {
		t.Errorf("bad image: %+v", r)
	}
}
