package integration

import (
	"os"
	"path/filepath"
	"testing"
)

// From a backup of the tables and the files, without the database, comes the
// bundle that the site exports itself; and a dump of a backup is the backup.
func TestBundleFromABackup(t *testing.T) {
	site := smallSite(t, 1<<20)
	work, backup := t.TempDir(), site.Path("/backup")
	expectCode(t, program(t, work, "export", "--root", site.Dir(), "bar", "live.tgz"), 0)
	expectCode(t, program(t, work, "dump", "--root", site.Dir(), backup), 0)
	must(t, os.RemoveAll(site.Path("/etc/xcat")))
	expectCode(t, program(t, work, "export", "--root", site.Dir(), "--cfgloc", "CSV:/backup", "bar", "backup.tgz"), 0)
	run(t, "cmp", filepath.Join(work, "live.tgz"), filepath.Join(work, "backup.tgz"))
	expectCode(t, program(t, work, "dump", "--root", site.Dir(), "--cfgloc", "CSV:/backup", "again"), 0)
	run(t, "diff", "-r", backup, filepath.Join(work, "again"))
}

// A mount shows the tables of a backup as it is written anew.
func TestMountFollowsABackup(t *testing.T) {
	site := smallSite(t, 1000)
	expectCode(t, program(t, t.TempDir(), "dump", "--root", site.Dir(), site.Path("/backup")), 0)
	m := mountSite(t, site.Dir(), "--refresh", "100ms", "--cfgloc", "CSV:/backup")
	expectLines(t, "names", listing(t, m.dir), []string{"bar", "bar.tgz", "bar.tgz.sha256", "foo", "foo.tgz", "foo.tgz.sha256"})
	must(t, site.Exec("osimage", "DELETE FROM osimage WHERE imagename = 'foo'"))
	expectCode(t, program(t, t.TempDir(), "dump", "--root", site.Dir(), site.Path("/backup")), 0)
	eventually(t, "the image that is gone from the backup goes", func() bool { return len(listing(t, m.dir)) == 3 })
}
