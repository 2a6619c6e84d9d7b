package integration

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"imgexportfs/integration/xcatsite"
)

// oddSite has images whose names, paths and values hold what a terminal obeys.
func oddSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	must(t, site.AddStateful("red\x1b[31m", nil, xcatsite.Row{"exlist": "/missing"}))
	must(t, site.AddStateful("slash/\x1b]0;title\a", nil, nil))
	must(t, site.AddStateful("path", nil, xcatsite.Row{"exlist": "/missing/\x1b[2Jx\x7f", "otherpkglist": "/missing/\u009b31m\r\b"}))
	must(t, site.AddStateful("newline", nil, xcatsite.Row{"exlist": "/missing/a\nb"}))
	must(t, site.AddStateful("value", xcatsite.Row{"comments": "a\x1bb"}, nil))
	must(t, site.AddStateful("method", xcatsite.Row{"provmethod": "\x1b[1mbold"}, nil))
	return site
}

// errorsFiles are the texts of all .errors files of a mount, by name.
func errorsFiles(t *testing.T, m *mount) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, name := range listing(t, m.dir) {
		if strings.HasSuffix(name, ".errors") {
			texts[name] = run(t, "cat", "--", filepath.Join(m.dir, name))
		}
	}
	return texts
}

// A .errors file can be shown on a terminal: it holds no control character
// but the newline at the end of each line.
func TestErrorsFilesHoldNoControlCharacters(t *testing.T) {
	m := mountSite(t, oddSite(t).Dir())
	texts := errorsFiles(t, m)
	if len(texts) < 6 {
		t.Errorf("%d images have a .errors file, want all 6: %q", len(texts), texts)
	}
	for name, text := range texts {
		if text == "" || !strings.HasSuffix(text, "\n") {
			t.Errorf("%q is %q, want whole lines", name, text)
		}
		for i, r := range text {
			if unicode.IsControl(r) && r != '\n' {
				t.Errorf("%q has %U at %d: %q", name, r, i, text)
			}
		}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "Error: ") && !strings.HasPrefix(line, "Warning: ") {
				t.Errorf("%q has a line that is not a message: %q", name, line)
			}
		}
	}
}

// The time of a .errors file says nothing about when the mount was made: it is
// the same on the next mount, so rsync has nothing to send.
func TestErrorsFilesKeepTheirTime(t *testing.T) {
	t.Parallel()
	site := oddSite(t)
	times := func() map[string]string {
		m := mountSite(t, site.Dir())
		defer m.stop(t)
		found := map[string]string{}
		for name, a := range statAll(t, m.dir) {
			if strings.HasSuffix(name, ".errors") {
				found[name] = a.mtimeExact
			}
		}
		return found
	}
	first := times()
	time.Sleep(1100 * time.Millisecond) // a time in whole seconds differs
	second := times()
	if len(first) == 0 {
		t.Fatal("no .errors file")
	}
	for name, mtime := range first {
		if second[name] != mtime {
			t.Errorf("%q has the time %s on the first mount, %s on the second", name, mtime, second[name])
		}
	}
}
