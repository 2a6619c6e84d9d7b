package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestListTableIsAlignedAndEscaped(t *testing.T) {
	small, large := int64(1536), int64(7<<30)
	reports := []imageReport{
		{Image: "compute", Provmethod: "netboot", Osvers: "rhels9.2", Arch: "x86_64", Profile: "compute", Size: &small, State: "ok"},
		{Image: "c69\ttab\n\x1b[31m", Provmethod: "install", Size: &large, State: "1 problem"},
		{Image: "bad", State: "refused: a\nb"},
	}
	for _, test := range []struct {
		plain bool
		want  string
	}{
		{false, `
IMAGE               PROVMETHOD  OSVERS    ARCH    PROFILE  SIZE    STATE
compute             netboot     rhels9.2  x86_64  compute  1.5KiB  ok
c69\ttab\n\x1b[31m  install     -         -       -        7GiB    1 problem
bad                 -           -         -       -        -       refused: a\nb
`},
		{true, `
IMAGE               PROVMETHOD  OSVERS    ARCH    PROFILE  SIZE        STATE
compute             netboot     rhels9.2  x86_64  compute  1536        ok
c69\ttab\n\x1b[31m  install     -         -       -        7516192768  1 problem
bad                 -           -         -       -        -           refused: a\nb
`},
	} {
		var got bytes.Buffer
		if err := printTable(&got, reports, test.plain); err != nil {
			t.Fatal(err)
		}
		if got.String() != test.want[1:] {
			t.Errorf("--bytes=%v: got\n%s\nwant\n%s", test.plain, got.String(), test.want[1:])
		}
	}
}

func TestListJSONHoldsEverything(t *testing.T) {
	size := int64(10)
	var got bytes.Buffer
	err := printJSON(&got, []imageReport{
		{Image: "a <b>", Name: "a_<b>", Size: &size, State: "ok", Problems: []string{}},
		{Image: "bad", State: "refused: why", Problems: []string{"Error: why", "Warning: beware"}},
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
