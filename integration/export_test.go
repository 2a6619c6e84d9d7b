package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// The exit code of a bundle that could not be written.
const exitWrite = 5

// Where the bundle goes (docs/rules.md, section 1), but that a directory counts.
func TestExportDestinations(t *testing.T) {
	site := smallSite(t, 1000)
	for _, c := range []struct {
		name, destination, file string
	}{
		{"none", "", "foo.tgz"},
		{"file name", "other", "other"}, // no extension is added
		{"file name with extension", "x.tar.gz", "x.tar.gz"},
		{"file in a directory", "sub/x.tgz", "sub/x.tgz"},
		{"directory", "sub", "sub/foo.tgz"},
		{"directory with slash", "sub/", "sub/foo.tgz"},
		{"dot", ".", "foo.tgz"},
		{"parent", "sub/..", "foo.tgz"},
		{"link to a directory", "link", "sub/foo.tgz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			work := t.TempDir()
			must(t, os.Mkdir(filepath.Join(work, "sub"), 0o755))
			must(t, os.Symlink("sub", filepath.Join(work, "link")))
			r := program(t, work, "export", "--root", site.Dir(), "foo", c.destination)
			expectCode(t, r, 0)
			found := shell(t, work, `find . -type f -printf '%P %m\n'`)
			expectText(t, "files", found, c.file+" 600\n")
			mustReadTarball(t, filepath.Join(work, c.file))
			if !strings.HasPrefix(r.stdout, "Exporting foo to "+work) || !strings.HasSuffix(r.stdout, "\nDone!\n") {
				t.Errorf("stdout: %q", r.stdout)
			}
		})
	}
	t.Run("absolute", func(t *testing.T) {
		to := filepath.Join(t.TempDir(), "abs.tgz")
		expectCode(t, program(t, t.TempDir(), "export", "--root", site.Dir(), "foo", to), 0)
		mustReadTarball(t, to)
	})
}

// A destination that cannot be a bundle is named, and nothing is written.
func TestExportBadDestinations(t *testing.T) {
	site := smallSite(t, 1000)
	work := t.TempDir()
	shell(t, work, `mkfifo fifo; echo file > file; ln -s nowhere dangling`)
	for destination, name := range map[string]string{
		"missing/x.tgz": "missing",
		"missing/":      "missing",
		"file/":         "file",
		"file/x.tgz":    "file",
		"fifo":          "fifo",
		"/dev/null":     "/dev/null",
		"/dev/stdout":   "/dev/stdout",
		"dangling":      "dangling",
	} {
		t.Run(destination, func(t *testing.T) {
			r := program(t, work, "export", "--root", site.Dir(), "foo", destination)
			if r.code != exitWrite && r.code != 2 {
				t.Errorf("exit code %d, want %d or 2", r.code, exitWrite)
			}
			expectContains(t, "stderr", r.stderr, "Error: ", name)
			if strings.Contains(r.stdout, "Done!") {
				t.Errorf("stdout: %q", r.stdout)
			}
			expectLines(t, "files", listing(t, work), []string{"dangling", "fifo", "file"})
		})
	}
}

// Options go anywhere, are bundled and cut short, as with imgexport.
func TestExportOptions(t *testing.T) {
	site := smallSite(t, 1000)
	addPlain(t, site, "-c69dash", "help")
	must(t, site.Insert("nodelist", xcatsite.Row{"node": "n1"}))
	must(t, site.Insert("postscripts", xcatsite.Row{"node": "n1", "postscripts": "script-of-n1"}))
	must(t, site.WriteFile("/tools/tool", 0o755, []byte("tool")))
	root := "--root=" + site.Dir()
	for _, c := range []struct {
		args     []string
		file     string
		contains []string // of the manifest
	}{
		{[]string{root, "foo", "-p", "n1"}, "foo.tgz", []string{"script-of-n1"}},
		{[]string{"-p", "n1", "foo", root}, "foo.tgz", []string{"script-of-n1"}},
		{[]string{"foo", "-vpn1", "out", root}, "out", []string{"script-of-n1"}},
		{[]string{"foo", "--post", "n1", root}, "foo.tgz", []string{"script-of-n1"}},
		{[]string{"foo", "--postscripts=n1", root}, "foo.tgz", []string{"script-of-n1"}},
		{[]string{"-e", "/tools/tool", "foo", "out", "-e", "/tools:/opt", root}, "out", []string{"<dest>/tools</dest>", "<dest>/opt</dest>"}},
		{[]string{"--ext", "/tools/tool:/opt", "foo", "-v", root}, "foo.tgz", []string{"<dest>/opt</dest>"}},
		{[]string{root, "--", "-c69dash"}, "-c69dash.tgz", []string{"<imagename>-c69dash<"}},
		{[]string{root, "-c69dash"}, "-c69dash.tgz", []string{"<imagename>-c69dash<"}},
		{[]string{root, "help"}, "help.tgz", []string{"<imagename>help<"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			work := t.TempDir()
			r := program(t, work, append([]string{"export"}, c.args...)...)
			expectCode(t, r, 0)
			expectLines(t, "files", listing(t, work), []string{c.file})
			expectContains(t, "manifest", string(mustReadTarball(t, filepath.Join(work, "./"+c.file)).manifest), c.contains...)
		})
	}
}

// Through a link named imgexport the program is imgexport.
func TestExportUnderTheNameImgexport(t *testing.T) {
	site := smallSite(t, 1000)
	link := filepath.Join(t.TempDir(), "imgexport")
	must(t, os.Symlink(programFile, link))
	work := t.TempDir()
	process{args: []string{link, "foo", "--root", site.Dir()}, dir: work}.run(t)
	mustReadTarball(t, filepath.Join(work, "foo.tgz"))

	none := process{args: []string{link}, mayFail: true}.run(t)
	expectCode(t, none, 1)
	help := process{args: []string{link, "-h"}, mayFail: true}.run(t)
	expectCode(t, help, 0)
	for _, usage := range []string{none.stdout, help.stdout} {
		expectContains(t, "usage", usage, "imgexport: Creates a tarball (bundle) of an existing xCAT image", "--postscripts", "--extra")
	}
}

// An export that fails leaves what was there, and no file of its own.
func TestFailedExportChangesNothing(t *testing.T) {
	site := smallSite(t, 1000)
	must(t, site.AddImage("bad", "install", nil, xcatsite.Row{"template": "/install/same", "pkglist": "/install/other/same"}))
	must(t, site.WriteFile("/install/same", 0o644, []byte("1")))
	must(t, site.WriteFile("/install/other/same", 0o644, []byte("2")))
	work := t.TempDir()
	old := filepath.Join(work, "old.tgz")
	must(t, os.WriteFile(old, []byte("yesterday's bundle"), 0o640))
	for _, image := range []string{"bad", "nosuch"} {
		expectCode(t, program(t, work, "export", "--root", site.Dir(), image, old), 1)
		data, err := os.ReadFile(old)
		must(t, err)
		expectText(t, "the old bundle", string(data), "yesterday's bundle")
		expectLines(t, "files", listing(t, work), []string{"old.tgz"})
	}
}

// A bundle that exists is replaced in one step: who has it open keeps reading
// the old one, and other names of it stay as they are.
func TestExportReplacesInOneStep(t *testing.T) {
	site := smallSite(t, 1000)
	work := t.TempDir()
	shell(t, work, `echo old > foo.tgz; ln foo.tgz other-name; ln -s foo.tgz link`)
	expectCode(t, program(t, work, "export", "--root", site.Dir(), "foo", "link"), 0)
	expectText(t, "the other name", run(t, "cat", work+"/other-name"), "old\n")
	expectText(t, "the link", run(t, "readlink", work+"/link"), "foo.tgz\n")
	mustReadTarball(t, filepath.Join(work, "foo.tgz"))
	expectText(t, "mode", run(t, "stat", "-c", "%a", work+"/foo.tgz"), "600\n")
	expectLines(t, "files", listing(t, work), []string{"foo.tgz", "link", "other-name"})
}

// A full disk is an error that says so, and nothing of the attempt is left.
func TestExportToAFullDisk(t *testing.T) {
	needRoot(t)
	site := smallSite(t, 8<<20)
	disk := t.TempDir()
	run(t, "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk)
	t.Cleanup(func() { run(t, "umount", disk) })
	must(t, os.WriteFile(filepath.Join(disk, "bar.tgz"), []byte("old"), 0o600))
	r := program(t, disk, "export", "--root", site.Dir(), "bar")
	expectCode(t, r, exitWrite)
	expectContains(t, "stderr", r.stderr, "Error: ", "bar.tgz", "no space left on device")
	if strings.Contains(r.stdout, "Done!") {
		t.Errorf("stdout: %q", r.stdout)
	}
	expectLines(t, "files", listing(t, disk), []string{"bar.tgz"})
	expectText(t, "the old bundle", run(t, "cat", filepath.Join(disk, "bar.tgz")), "old")
	expectCode(t, program(t, disk, "export", "--root", site.Dir(), "foo"), 0) // there is room again
}

// A directory that may not be written to is named.
func TestExportToAForbiddenDirectory(t *testing.T) {
	site := smallSite(t, 1000)
	run(t, "chmod", "-R", "a+rX", site.Dir())
	work := emptyDir(t, "work")
	openTheWay(t, work)
	openTheWay(t, site.Path("x"))
	r := process{args: []string{programFile, "export", "--root", site.Dir(), "foo"}, dir: work, as: nobody(), mayFail: true}.run(t)
	expectCode(t, r, exitWrite)
	expectContains(t, "stderr", r.stderr, "permission denied", work)
	expectLines(t, "files", listing(t, work), nil)
}
