package integration

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// expectError asks for an error that says all of parts, and no password.
func expectError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	expectContains(t, "the error", err.Error(), parts...)
	expectNoPassword(t, "the error", err.Error())
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line: %q", err)
	}
}

// expectNoPassword looks for the reader's password, or its start, in a text.
func expectNoPassword(t *testing.T, what, text string) {
	t.Helper()
	if strings.Contains(text, readerPassword[:6]) {
		t.Errorf("%s shows the password: %s", what, clip(text))
	}
}

// expectTrouble asks a site for the rows that it had, and for a status that
// says why there are no others.
func expectTrouble(t *testing.T, site *xcat.Site, parts ...string) {
	t.Helper()
	before := site.Status()
	catalog, err := site.Catalog(t.Context())
	must(t, err)
	if n := len(catalog.Images()); n != 2 {
		t.Errorf("%d images are served, want the 2 that were there", n)
	}
	status := site.Status()
	expectError(t, status.Err, parts...)
	if now := time.Now(); status.Since.IsZero() || status.Since.After(now) || status.Looked.After(now) || status.Read.Before(before.Read) {
		t.Errorf("status %+v", status)
	}
	expectNoPassword(t, "the status", status.Database)
}

// expectRecovery waits until a site has no trouble any more.
func expectRecovery(t *testing.T, site *xcat.Site) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := site.Catalog(t.Context()); err != nil {
			t.Fatal(err)
		}
		if site.LastError() == nil {
			if s := site.Status(); !s.Since.IsZero() || !s.Retry.IsZero() {
				t.Errorf("status after the trouble: %+v", s)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still in trouble: %v", site.LastError())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// loggedSite opens a site that logs.
func (d dbSite) openLogged(t *testing.T, refresh time.Duration) (*xcat.Site, *syncBuffer) {
	t.Helper()
	log := &syncBuffer{}
	site, err := xcat.OpenSite(t.Context(), xcat.Config{
		Root: d.root, Cfgloc: d.server.cfgloc(d.database), Refresh: refresh,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	must(t, err)
	t.Cleanup(func() { _ = site.Close() })
	return site, log
}

// manifestOf returns the manifest of an export.
func manifestOf(t *testing.T, e *xcat.Export) string {
	t.Helper()
	for _, m := range e.Members {
		if m.Name == bundle.Manifest {
			text, err := io.ReadAll(io.NewSectionReader(m.Content, 0, m.Content.Size()))
			must(t, err)
			return string(text)
		}
	}
	t.Fatalf("there is no manifest: %v", e.Problems())
	return ""
}
