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

func TestALongNameWidensNoOtherRow(t *testing.T) {
	long := strings.Repeat("n", 200)
	size := int64(5)
	var got bytes.Buffer
	if err := printTable(&got, []imageReport{{Image: "a", Size: &size, State: "ok"}, {Image: long, Size: &size, State: "ok"}}, true); err != nil {
		t.Fatal(err)
	}
	want := "IMAGE  PROVMETHOD  OSVERS  ARCH  PROFILE  SIZE  STATE\n" +
		"a      -           -       -     -        5     ok\n" +
		long + "  -           -       -     -        5     ok\n"
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestListJSONLosesNoByte(t *testing.T) {
	var got bytes.Buffer
	reports := []imageReport{
		{Image: "b\xe9 \\xe9", Name: "b\xe9_\\xe9", Profile: "p\xff", State: "refused: \xe9", Problems: []string{"Error: \xe9"}},
		{Image: "real \ufffd é", Name: "n"},
	}
	if err := printJSON(&got, reports); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Image, Name, Profile, State string
		Problems                    []string
		ImageRaw                    []byte `json:"image_raw"`
		NameRaw                     []byte `json:"name_raw"`
	}
	if err := json.Unmarshal(got.Bytes(), &rows); err != nil {
		t.Fatal(err)
	}
	if r := rows[0]; string(r.ImageRaw) != reports[0].Image || string(r.NameRaw) != reports[0].Name ||
		r.Image != `b\xe9 \xe9` || r.Profile != `p\xff` || r.State != `refused: \xe9` || r.Problems[0] != `Error: \xe9` {
		t.Errorf("%+v", r)
	}
	if r := rows[1]; r.Image != "real \ufffd é" || r.ImageRaw != nil || r.Problems == nil {
		t.Errorf("%+v", r)
	}
}
