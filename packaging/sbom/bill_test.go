package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

var someTime = time.Unix(1_700_000_000, 0)

// A module is named as scanners look it up, and a replaced one by what took its place.
func TestModulesAreNamedAsTheyAreLinked(t *testing.T) {
	for name, c := range map[string]struct {
		dep          debug.Module
		purl, sumOf  string
		name, number string
	}{
		"plain":        {debug.Module{Path: "example.org/a/v2", Version: "v2.1.0", Sum: "h1:x="}, "pkg:golang/example.org/a/v2@v2.1.0", "h1:x=", "example.org/a/v2", "v2.1.0"},
		"capitals":     {debug.Module{Path: "example.org/BurntSushi", Version: "v1.0.0"}, "pkg:golang/example.org/burntsushi@v1.0.0", "", "example.org/BurntSushi", "v1.0.0"},
		"incompatible": {debug.Module{Path: "example.org/a", Version: "v2.0.0+incompatible"}, "pkg:golang/example.org/a@v2.0.0%2Bincompatible", "", "example.org/a", "v2.0.0+incompatible"},
		"replaced":     {debug.Module{Path: "example.org/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/b", Version: "v1.1.0", Sum: "h1:b="}}, "pkg:golang/example.org/b@v1.1.0", "h1:b=", "example.org/b", "v1.1.0"},
	} {
		got := linked(&c.dep)
		if got.PackageURL != c.purl || got.Name != c.name || got.Version != c.number {
			t.Errorf("%s: %+v", name, got)
		}
		if sum := len(got.Properties) == 1 && got.Properties[0].Value == c.sumOf; sum != (c.sumOf != "") {
			t.Errorf("%s: the properties are %v", name, got.Properties)
		}
	}
}

// The bill has what CycloneDX demands: a serial number in the form of a UUID, references
// that are unique, and dependencies on references that are there.
func TestBillIsWellFormed(t *testing.T) {
	info := &buildinfo.BuildInfo{
		GoVersion: "go1.26.0", Path: "imgexportfs/cmd/imgexportfs",
		Deps:     []*debug.Module{{Path: "example.org/a", Version: "v1.0.0"}, {Path: "example.org/b", Version: "v1.0.0"}},
		Settings: []debug.BuildSetting{{Key: "GOARCH", Value: "amd64"}},
	}
	b := billOf(info, sha256.Sum256(nil), "1.2.3", someTime)
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(b.SerialNumber) {
		t.Errorf("serial number %q", b.SerialNumber)
	}
	if b.Metadata.Component.Name != "imgexportfs" || b.Metadata.Component.Version != "1.2.3" || b.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("metadata %+v", b.Metadata)
	}
	var names []string
	known := map[string]bool{b.Metadata.Component.Ref: true}
	for _, c := range b.Components {
		if known[c.Ref] {
			t.Errorf("two components are %q", c.Ref)
		}
		known[c.Ref] = true
		names = append(names, c.Name+" "+c.Version)
	}
	if got := strings.Join(names, ", "); got != "std 1.26.0, example.org/a v1.0.0, example.org/b v1.0.0" {
		t.Errorf("components %s", got)
	}
	for _, ref := range b.Dependencies[0].DependsOn {
		if !known[ref] {
			t.Errorf("nothing is called %q", ref)
		}
	}
	if n := len(b.Dependencies[0].DependsOn); n != len(b.Components) {
		t.Errorf("the program depends on %d of %d components", n, len(b.Components))
	}
}

// Another program or another version is another document; the same one is the same bytes.
func TestSameProgramGivesSameBytes(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text := func(version string) string {
		var b bytes.Buffer
		if err := write(&b, self, version, someTime); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b.Bytes()) {
			t.Errorf("no JSON: %s", &b)
		}
		return b.String()
	}
	one, again, two := text("1"), text("1"), text("2")
	if one != again {
		t.Error("two bills of one program differ")
	}
	if serial := regexp.MustCompile(`urn:uuid:[^"]*`); serial.FindString(one) == serial.FindString(two) {
		t.Error("two versions have one serial number")
	}
	if err := write(&bytes.Buffer{}, "bill_test.go", "1", someTime); err == nil {
		t.Error("a file that is no program has a bill")
	}
}
