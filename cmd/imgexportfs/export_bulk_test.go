package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imgexportfs/xcat"
)

// bulk exports images into the directory "to" and returns the exit code and the last line.
func bulk(t *testing.T, root string, images ...string) (code int, last string) {
	t.Helper()
	args := append([]string{"imgexportfs", "export", "--root", root}, images...)
	code, stdout, _, _ := try(t, append(args, "to/")...)
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	return code, lines[len(lines)-1]
}

// An image that cannot be exported keeps no other one from it, counts as failed, and leaves
// no file. The worst exit code counts, wherever it comes from.
func TestABulkExportGoesOnAfterFailures(t *testing.T) {
	root, cwd := unpackSite(t)
	to := filepath.Join(cwd, "to")
	mkdir(t, filepath.Join(to, "c02_tmpl_service.tgz")) // cannot be written
	for _, test := range []struct {
		images string
		code   int
		last   string
	}{
		{"c02_tmpl_none nosuch ?c69dash c02_tmpl_compute", exitProblems, "4 images: 1 written, 0 current, 3 failed"},
		{"c02_tmpl_missing_on_disk c02_tmpl_compute", exitProblems, "2 images: 1 written, 1 current, 0 failed"},
		{"c02_tmpl_service c02_tmpl_none", exitWrite, "2 images: 0 written, 0 current, 2 failed"},
		{"c02_tmpl_none c02_tmpl_service c02_tmpl_compute", exitWrite, "3 images: 0 written, 1 current, 2 failed"},
		{"c02_tmpl_compute c02_tmpl_c*", 0, "1 image: 0 written, 1 current, 0 failed"},
	} {
		if code, last := bulk(t, root, strings.Fields(test.images)...); code != test.code || last != test.last {
			t.Errorf("%s: code %d, %q; want %d, %q", test.images, code, last, test.code, test.last)
		}
	}
	onlyFile(t, to, "c02_tmpl_compute.tgz", "c02_tmpl_missing_on_disk.tgz", "c02_tmpl_service.tgz")
}

// A file is left as it is if it is the bundle, and replaced if it is anything else.
func TestABulkExportWritesWhatIsNotCurrent(t *testing.T) {
	root, _ := unpackSite(t)
	mkdir(t, "to")
	const image, path = "c02_tmpl_comput?", "to/c02_tmpl_compute.tgz" // a glob makes it a bulk export
	if code, last := bulk(t, root, image); code != 0 || last != "1 image: 1 written, 0 current, 0 failed" {
		t.Fatalf("code %d, %q", code, last)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1_000_000_000, 0)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if code, last := bulk(t, root, image); code != 0 || last != "1 image: 0 written, 1 current, 0 failed" {
		t.Errorf("current: code %d, %q", code, last)
	}
	if st, err := os.Stat(path); err != nil || !st.ModTime().Equal(old) {
		t.Errorf("what was current is written again, %v", err)
	}
	for name, content := range map[string][]byte{"cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0), "another": []byte("another")} {
		write(t, path, string(content))
		if code, last := bulk(t, root, image); code != 0 || last != "1 image: 1 written, 0 current, 0 failed" {
			t.Errorf("%s: code %d, %q", name, code, last)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, good) {
			t.Errorf("%s: it is not replaced by the bundle, %v", name, err)
		}
	}
}

// Error lines make the exit code 1, as with imgexport; what it is silent about does not.
func TestOnlyErrorLinesChangeTheExitCode(t *testing.T) {
	data, warning := xcat.Message{Level: xcat.Data, Text: "x"}, xcat.Message{Level: xcat.Warning, Text: "x"}
	for _, test := range []struct {
		messages []xcat.Message
		want     bool
	}{
		{nil, false},
		{[]xcat.Message{data, warning, data}, false},
		{[]xcat.Message{errorMessage("x")}, true},
		{[]xcat.Message{data, errorMessage("x"), warning, data}, true},
	} {
		var stdout, stderr bytes.Buffer
		if got := printMessages(&stdout, &stderr, test.messages); got != test.want {
			t.Errorf("%v: %v", test.messages, got)
		}
	}
}
