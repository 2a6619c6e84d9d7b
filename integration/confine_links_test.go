package integration

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
	"imgexportfs/xcat"
)

// outsideMark is in every file, table and directory outside of the root.
const outsideMark = "OUTSIDE"

// A disk below --root whose owner has put a link in the place of any one file or directory
// shows nothing of the host: not in rows, names, or contents.
func TestRootConfinesLinksAtEveryPlace(t *testing.T) {
	t.Parallel()
	site := linkedSite(t)
	outside := outsideOf(t, site)
	var places []string
	must(t, filepath.WalkDir(site.Dir(), func(file string, _ fs.DirEntry, err error) error {
		if place := strings.TrimPrefix(file, site.Dir()); place != "" {
			places = append(places, place)
		}
		return err
	}))
	if whole := everything(t, site.Dir()); strings.Contains(whole, outsideMark) || strings.Count(whole, "INSIDE") < 8 {
		t.Fatalf("without links the site shows %q", clip(whole))
	}
	saved := filepath.Join(t.TempDir(), "saved")
	up := strings.Repeat("../", 30)
	for _, place := range places {
		must(t, os.Rename(site.Path(place), saved))
		for _, target := range []string{outside + place, up + outside + place} {
			must(t, os.Symlink(target, site.Path(place)))
			if text := everything(t, site.Dir()); strings.Contains(text, outsideMark) {
				t.Errorf("%s -> %s leads outside: %s", place, target, clip(text[strings.Index(text, outsideMark):]))
			}
			must(t, os.Remove(site.Path(place)))
		}
		must(t, os.Rename(saved, site.Path(place)))
	}
	t.Logf("%d places", len(places))
}

// linkedSite is a site that has every kind of file.
func linkedSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	s := newSite(t)
	dir, err := s.AddKit("kit", "comp")
	must(t, err)
	must(t, s.AddStateful("full", xcatsite.Row{"kitcomponents": "comp", "synclists": "/install/sync"}, nil))
	must(t, s.AddImage("found", "install", nil, nil))
	must(t, s.AddStateless("packed", xcatsite.Stateless{Kernel: []byte("INSIDE"), Ramdisk: []byte("INSIDE"), Rootimg: []byte("INSIDE")}))
	must(t, s.AddStatelite("lite", []byte("INSIDE"), []byte("INSIDE")))
	for _, file := range []string{
		"/install/sync", "/install/extra/dir/file", dir + "/repos/file", dir + "/top", s.TreeDir("lite") + "/etc/passwd", s.TreeDir("lite") + "/file",
		"/install/custom/install/" + xcatsite.OSVersion + "/" + xcatsite.Profile + ".tmpl", "/opt/xcat/share/xcat/install/rh/" + xcatsite.Profile + ".tmpl",
	} {
		must(t, s.WriteFile(file, 0o644, []byte("INSIDE\n")))
	}
	must(t, s.WriteFile("/etc/xcat/cfgloc", 0o600, []byte("SQLite:/etc/xcat\n")))
	return s
}

// outsideOf makes a copy of a site that has the mark everywhere.
func outsideOf(t *testing.T, site *xcatsite.Site) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "host")
	run(t, "cp", "-a", site.Dir(), copied)
	other := xcatsite.Open(copied)
	for _, table := range dbTables {
		must(t, other.Exec(table, `UPDATE "`+table+`" SET comments = '`+outsideMark+`'`))
	}
	must(t, filepath.WalkDir(copied, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.WriteFile(filepath.Join(file, "the-"+outsideMark), nil, 0o644)
		case strings.Contains(file, "the-"+outsideMark) || strings.HasSuffix(file, ".sqlite") || strings.HasSuffix(file, "/cfgloc"):
			return nil
		}
		return os.WriteFile(file, []byte(outsideMark), 0o644)
	}))
	return copied
}

// everything is what the exports of all images hold and say. A site that cannot be opened
// shows nothing.
func everything(t *testing.T, root string) string {
	t.Helper()
	site, err := xcat.OpenSite(t.Context(), xcat.Config{Root: root})
	if err != nil {
		return ""
	}
	defer func() { _ = site.Close() }()
	catalog := catalogOf(t, site)
	var text strings.Builder
	for _, image := range catalog.Images() {
		e, err := catalog.Export(t.Context(), site.Root(), xcat.Request{Image: image, Destination: ".", Extras: []string{"/install/extra", "/install/sync"}})
		must(t, err)
		for _, m := range e.Members {
			text.WriteString(m.Name + "\n")
			if m.Content == nil {
				continue
			}
			if _, err := io.Copy(&text, io.NewSectionReader(m.Content, 0, m.Content.Size())); err != nil {
				t.Logf("%s: %v", m.Name, err)
			}
		}
	}
	return text.String()
}
