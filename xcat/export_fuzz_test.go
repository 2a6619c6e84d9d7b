package xcat

import (
	"encoding/xml"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

// fuzzedOutside is what is in files outside the site's root.
const fuzzedOutside = "OUTSIDE THE ROOT"

// newFuzzedRoot makes the disk of a site that leads out of itself in every way, with files
// of that content outside.
func newFuzzedRoot(f *testing.F) *source.Root {
	f.Helper()
	outer := f.TempDir()
	dir := outer + "/site"
	for name, text := range map[string]string{
		"/secret": fuzzedOutside, "/l/secret": fuzzedOutside,
		"/site/f/a": "a", "/site/f/b": "b", "/site/k/kernel": "k", "/site/k/initrd-stateless.gz": "i", "/site/k/initrd-statelite.gz": "i",
		"/site/k/rootimg.gz": "r", "/site/k/rootimg/etc/hosts": "h", "/site/kit/repo": "x",
		"/site/install/netboot/o/x/p/kernel": "k", "/site/install/custom/install/o/p.tmpl": "t", "/site/install/raw/o/s390x/p/disk.img": "d",
	} {
		must(f, os.MkdirAll(filepath.Dir(outer+name), 0o755))
		must(f, os.WriteFile(outer+name, []byte(text), 0o644))
	}
	for link, target := range map[string]string{"/f/out": "../../secret", "/f/abs": outer + "/secret", "/f/loop": "loop", "/kit/out": "../../secret", "/k/rootimg/out": outer + "/secret", "/up": "../l", "/f/dir": "/k"} {
		must(f, os.Symlink(target, dir+link))
	}
	root, err := source.OpenRoot(dir)
	must(f, err)
	f.Cleanup(func() { _ = root.Close() })
	return root
}

// FuzzExport holds exports to this: whatever the rows and the arguments are, the answer
// comes in a bounded time; members have clean names below the bundle, and no bytes from
// outside of the root; a manifest is XML that says the rows; a refusal has a reason.
func FuzzExport(f *testing.F) {
	type seed struct{ image, method, column, value, dir, extra, kit string }
	for _, s := range []seed{
		{"i", "install", "template", "/f/a", "", "", ""}, {"i j", "install", "pkglist", "/f/a,/f/b", "", "/f/b:/x", "kc"}, {"i", "netboot", "exlist", "/f/out", "/k", "/f/abs", ""},
		{"i", "statelite", "otherpkglist", "/f/loop,../../secret", "/k", "/k", "kc"}, {"i", "raw", "postinstall", "/f/a -x", "/k/", "..", "kc,kc"}, {"..", "install", "template", "/f/a", "/..", "/", ""},
		{"i", "install", "template", "\x1b[2J", "\x00", "\xff:\x00", "\x00"}, {"a/b", "x", "synclists", ",,,", "/up", "/f/dir/../../secret", "kit"}, {"i", "netboot", "template", "/f/manifest.xml", "k", "f/a:0", "kc"},
		{"-i", "netboot", "pkglist", "/f/a/", "/k/../k", "/f/a:/f:/f", ""}, {"i", "install", "template", "/f/a", "", "/f", ""}, {"manifest.xml", "install", "template", "/f/a,/f/a", "", "::", ""},
	} {
		f.Add(s.image, s.method, s.column, s.value, s.dir, s.extra, s.kit)
	}
	root := newFuzzedRoot(f)
	f.Fuzz(func(t *testing.T, image, method, column, value, dir, extra, kit string) {
		linux := Row{"imagename": image, "rootimgdir": dir}
		osimage := Row{"imagename": image, "provmethod": method, "profile": "p", "osvers": "o", "osarch": "x", "kitcomponents": kit, "synclists": ""}
		if column == "synclists" || column == "profile" || column == "osarch" || column == "osvers" {
			osimage[column] = value
		} else if isColumnName(column) && column != "imagename" {
			linux[column] = value
		}
		catalog := newCatalog(tablesOf(map[string][]Row{
			"osimage": {osimage}, "linuximage": {linux}, "litefile": {{"image": image, "file": value, "options": dir}},
			"kit": {{"kitname": "kit", "kitdir": "/kit"}}, "kitcomponent": {{"kitcompname": "kc", "kitname": "kit"}}, "kitrepo": {{"kitreponame": "r", "kitname": "kit"}},
		}))
		began := time.Now()
		e, err := catalog.Export(t.Context(), root, Request{Image: image, Destination: "d", Extras: strings.Split(extra, "|")})
		must(t, err)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the export takes %v", took)
		}
		expectSafeExport(t, e, image)
	})
}

// isColumnName reports whether a table can have a column of the name.
func isColumnName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") == ""
}

func expectSafeExport(t *testing.T, e *Export, image string) {
	t.Helper()
	if e.Refused && len(e.Problems()) == 0 {
		t.Errorf("%q is refused without a reason", image)
	}
	if !e.Refused && e.Unreadable == nil && checkImageName(image) != nil {
		t.Errorf("%q is exported", image)
	}
	seen := map[string]bool{}
	for _, m := range e.Members {
		if m.Name != path.Clean(m.Name) || strings.HasPrefix(m.Name, "/") || strings.HasPrefix(m.Name, "..") || strings.Contains(m.Name, "\x00") || seen[m.Name] {
			t.Errorf("%q has the member %q", image, m.Name)
		}
		seen[m.Name] = true
		if m.Kind != bundle.Regular {
			continue
		}
		text := contentOf(t, m)
		if strings.Contains(text, fuzzedOutside) {
			t.Errorf("%q has a member %q from outside of the root", image, m.Name)
		}
		if m.Name == bundle.Manifest {
			expectManifest(t, text, image)
		}
	}
	if !e.Refused && e.Unreadable == nil && !seen[bundle.Manifest] {
		t.Errorf("%q has no manifest", image)
	}
}

// contentOf reads all of a member.
func contentOf(t *testing.T, m bundle.Member) string {
	t.Helper()
	b := make([]byte, m.Content.Size())
	_, err := m.Content.ReadAt(b, 0)
	must(t, err)
	return string(b)
}

func expectManifest(t *testing.T, text, image string) {
	t.Helper()
	var read struct {
		XMLName xml.Name `xml:"xcatimage"`
		OSImage []struct {
			Name []string `xml:"imagename"`
		} `xml:"osimage"`
	}
	err := xml.Unmarshal([]byte(text), &read)
	if err != nil || len(read.OSImage) != 1 || len(read.OSImage[0].Name) != 1 || read.OSImage[0].Name[0] != image {
		t.Errorf("the manifest of %q is %q: %v", image, text, err)
	}
}
