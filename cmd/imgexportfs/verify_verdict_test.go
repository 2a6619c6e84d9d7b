package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imgexportfs/bundle/verify"
)

// The worst that was found decides.
func TestVerdictIsTheWorstThatWasFound(t *testing.T) {
	damage := &verify.Damage{Member: "kernel", Offset: 7, Reason: "bad"}
	members := []verify.Difference{{Member: "kernel", What: "size"}}
	for name, test := range map[string]struct {
		result verify.Result
		look   look
		want   string
		good   bool
	}{
		"nothing to compare with":        {verify.Result{}, look{}, isSound, true},
		"compared":                       {verify.Result{Compared: true}, look{samePlan: true}, isCurrent, true},
		"a row":                          {verify.Result{Compared: true, Rows: []string{"osimage.osvers"}}, look{}, isOutdated, false},
		"a member":                       {verify.Result{Compared: true, Differences: members}, look{}, isOutdated, false},
		"damage":                         {verify.Result{Damage: damage}, look{}, isDamaged, false},
		"damage of what is outdated":     {verify.Result{Damage: damage, Compared: true, Differences: members}, look{}, isDamaged, false},
		"damage of what is no image":     {verify.Result{Damage: damage}, look{verdict: isNoImage}, isDamaged, false},
		"no image":                       {verify.Result{}, look{verdict: isNoImage}, isNoImage, false},
		"a site that cannot be read":     {verify.Result{NotCompared: errors.New("gone")}, look{}, isNotCompared, false},
		"the same after some difference": {verify.Result{NotCompared: errors.New("gone"), Differences: members}, look{}, isNotCompared, false},
	} {
		v := newVerdict("x.tgz", &test.result, &test.look)
		if v.Verdict != test.want || v.isGood() != test.good {
			t.Errorf("%s: %s, good %v", name, v.Verdict, v.isGood())
		}
		if v.Verdict == isDamaged && (v.Member != "kernel" || v.Offset == nil || *v.Offset != 7 || len(v.Members) > 0) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// One bundle that is not good makes all of a directory not good.
func TestVerdictsAreFaultyIfOneIs(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var text bytes.Buffer
		out := &verdicts{w: &text, json: asJSON}
		for i, name := range []string{isCurrent, isSound, isDamaged, isCurrent} {
			if err := out.add(&verdict{File: "x", Verdict: name}); err != nil {
				t.Fatal(err)
			}
			if out.faulty != (i >= 2) {
				t.Errorf("behind %s: faulty %v", name, out.faulty)
			}
		}
		if err := out.end(); err != nil || !strings.Contains(text.String(), isDamaged) {
			t.Errorf("%s, %v", text.String(), err)
		}
	}
}

// Of a directory the complete bundles count: what is being written has a dot.
func TestBundlesOfADirectoryAreItsFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.tgz", "b.tgz", ".imgexport-1.tgz", "a.tgz.sha256", "notes.txt"} {
		write(t, filepath.Join(dir, name), "")
	}
	mkdir(t, filepath.Join(dir, "dir.tgz"))
	if err := os.Symlink("a.tgz", filepath.Join(dir, "link.tgz")); err != nil {
		t.Fatal(err)
	}
	want := []string{dir + "/a.tgz", dir + "/b.tgz", dir + "/link.tgz"}
	if got := bundlesOf([]string{dir}); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	empty := t.TempDir()
	if got := bundlesOf([]string{empty, "-", dir + "/notes.txt"}); !slices.Equal(got, []string{empty, "-", dir + "/notes.txt"}) {
		t.Errorf("operands %q", got)
	}
}
