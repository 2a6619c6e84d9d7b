package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// Below --root, paths end at the root: absolute links and ".." lead to what
// they would lead to on the management node, and never out of the directory.
func TestRootConfinesEveryPath(t *testing.T) {
	outside := t.TempDir()
	shell(t, outside, `for i in 1 2 3 4 5 6 7; do echo SECRET OUTSIDE > secret$i; done`)
	site := smallSite(t, 1000)
	up := strings.Repeat("../", 20) + strings.TrimPrefix(outside, "/")

	// A profile directory that is an absolute link: fine inside the root.
	dir := xcatsite.ProfileDir("bar")
	must(t, os.Rename(site.Path(dir), site.Path("/elsewhere")))
	must(t, os.Symlink("/elsewhere", site.Path(dir)))

	// Lists that lead out, by name and by links.
	must(t, os.Symlink(outside+"/secret1", site.Path("/install/absolute-link")))
	must(t, os.Symlink(up+"/secret2", site.Path("/install/dotdot-link")))
	must(t, os.Symlink("/", site.Path("/install/root-link")))
	lists := []string{
		"/install/absolute-link", "/install/dotdot-link", "/install/root-link" + outside + "/secret3",
		outside + "/secret4", "/" + up + "/secret5", up + "/secret6", "/proc/self/root" + outside + "/secret7",
	}
	must(t, site.Exec("linuximage", `UPDATE linuximage SET otherpkglist = ? WHERE imagename = 'foo'`, strings.Join(lists, ",")))

	work := t.TempDir()
	expectCode(t, program(t, work, "export", "--root", site.Dir(), "bar"), 0)
	expectContains(t, "members", strings.Join(mustReadTarball(t, filepath.Join(work, "bar.tgz")).members, "\n"), "/rootimg.cpio.gz ", "/kernel ")

	args := []string{"export", "--root", site.Dir(), "foo"}
	for _, extra := range lists {
		args = append(args, "-e", extra)
	}
	r := program(t, work, args...)
	expectCode(t, r, 1)
	for _, list := range lists {
		expectContains(t, "stderr", r.stderr, "Couldn't find file "+list+" for foo. Skip.", "Can not find Extra file "+list)
	}
	content := shell(t, work, `tar -xzOf foo.tgz`)
	if strings.Contains(content, "SECRET OUTSIDE") {
		t.Error("the bundle holds a file from outside the root")
	}
	m := mountSite(t, site.Dir())
	if all := shell(t, m.path("foo"), `find . -type f -exec cat {} +`); strings.Contains(all, "SECRET OUTSIDE") {
		t.Error("the mount shows a file from outside the root")
	}
}

// The database cannot be led out of the root either.
func TestRootConfinesTheDatabase(t *testing.T) {
	site, other := smallSite(t, 1000), smallSite(t, 1000)
	must(t, other.Exec("osimage", `UPDATE osimage SET description = 'OUTSIDE'`))
	outside := other.Path("/etc/xcat")
	must(t, os.Symlink(outside, site.Path("/dblink")))
	for _, spec := range []string{"SQLite:" + outside, outside, "SQLite:/dblink", "SQLite:/" + strings.Repeat("../", 20) + outside} {
		r := program(t, t.TempDir(), "list", "--root", site.Dir(), "--cfgloc", spec)
		expectCode(t, r, exitSite)
	}
	must(t, os.Remove(site.TableFile("osimage")))
	must(t, os.Symlink(other.TableFile("osimage"), site.TableFile("osimage")))
	expectCode(t, program(t, t.TempDir(), "list", "--root", site.Dir()), exitSite)
}

// A root that is no directory is named.
func TestBadRootIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	for _, root := range []string{file, file + "-missing"} {
		r := program(t, t.TempDir(), "list", "--root", root)
		expectCode(t, r, exitSite)
		expectContains(t, "stderr", r.stderr, root)
	}
}
