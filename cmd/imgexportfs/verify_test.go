package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
)

// The exit code is 0 if nothing is to be done about any bundle, and each is told from what
// it might be taken for.
func TestVerifySaysWhatIsWrongWithABundle(t *testing.T) {
	root, _ := unpackSite(t)
	const bundle, sumFile = "c02_tmpl_compute.tgz", "c02_tmpl_compute.tgz.sha256"
	if code, _, _, both := try(t, "imgexport", "--root", root, "c02_tmpl_compute"); code != 0 {
		t.Fatalf("code %d: %s", code, both)
	}
	good, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	write(t, "cut.tgz", string(good[:len(good)-1]))
	right, wrong := fmt.Sprintf("%x\n", sha256.Sum256(good)), strings.Repeat("0", 64)+"\n"
	for _, test := range []struct {
		args, sum string // "": there is no checksum beside the bundle
		code      int
		want      string
	}{
		{bundle, "", 0, bundle + ": current\n"},
		{bundle, right, 0, bundle + ": current\n"},
		{bundle, wrong, 1, bundle + ": damaged: its SHA-256 is not that in " + sumFile + "\n"},
		{"--against none " + bundle, "", 0, bundle + ": sound\n"},
		{"--against nosuch " + bundle, "", 1, bundle + ": no such image nosuch\n"},
		{"--against c02_tmpl_service " + bundle, "", 1, bundle + ": outdated: "},
		{"--quick " + bundle, "", 0, bundle + ": current\n"},
		{"--quick --against c02_tmpl_service " + bundle, "", 1, bundle + ": outdated: "},
		{"cut.tgz", "", 1, "cut.tgz: damaged"},
		{bundle + " cut.tgz", "", 1, "2 bundles: 1 current, 1 damaged\n"},
	} {
		_ = os.Remove(sumFile)
		if test.sum != "" {
			write(t, sumFile, test.sum)
		}
		args := append([]string{"imgexportfs", "verify", "--root", root}, strings.Fields(test.args)...)
		if strings.Contains(test.args, "none") {
			args = append([]string{"imgexportfs", "verify"}, strings.Fields(test.args)...)
		}
		if code, stdout, _, both := try(t, args...); code != test.code || !strings.Contains(stdout, test.want) {
			t.Errorf("verify %s: code %d, want %d and %q in\n%s", test.args, code, test.code, test.want, both)
		}
	}
}
