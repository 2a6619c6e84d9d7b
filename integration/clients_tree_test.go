package integration

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// treeClients are ways to copy the content of the directory $1 into the directory $2.
var treeClients = []struct {
	name, script string
	tools        []string
}{
	{"cp -a", `cp -a "$1/." "$2"`, nil},
	{"rsync -a", `rsync -a "$1/" "$2"`, []string{"rsync"}},
	{"rsync -aHAXS", `rsync -aHAXS "$1/" "$2"`, []string{"rsync"}},
	{"tar", `tar -C "$1" -cf - . | tar -C "$2" -xf -`, nil},
	{"tar --xattrs --acls --selinux --sparse", `tar -C "$1" --xattrs --acls --selinux --sparse -cf - . | tar -C "$2" -xf -`, nil},
	{"bsdtar", `bsdtar -C "$1" -cf - . | bsdtar -C "$2" -xf -`, []string{"bsdtar"}},
	{"zip", `cd "$1"; zip -qry "$3/all.zip" .; unzip -q "$3/all.zip" -d "$2"`, []string{"zip", "unzip"}},
	{"cpio -p", `cd "$1"; find . | cpio --quiet -pdm "$2"`, []string{"cpio"}},
	{"busybox cp", `busybox cp -a "$1/." "$2"`, []string{"busybox"}},
}

// A copy of a whole mount is the bundles, their checksums, and the members, and nothing
// of what is found by name only.
func TestClientsCopyTheWholeMount(t *testing.T) {
	t.Parallel()
	site := newClientSite(t, bulkSite(t))
	for _, c := range treeClients {
		t.Run(c.name, func(t *testing.T) {
			needTools(t, c.tools...)
			m := site.mount(t)
			to := emptyDir(t, "copy")
			shell(t, "", c.script, m.dir, to, t.TempDir())
			site.expectBundles(t, to)
			shell(t, to, `sha256sum --quiet -c *.sha256; rm -- *.tgz *.sha256
				diff -r --no-dereference . "$1"`, site.members)
		})
	}
}

// What looks at every file finds the names that ls shows, sizes without holes, and no
// extended attributes.
func TestWalkersFindWhatIsListed(t *testing.T) {
	t.Parallel()
	needTools(t, "getfattr")
	site := newClientSite(t, bulkSite(t))
	m := site.mount(t)
	found := strings.Fields(shell(t, m.dir, `find . -mindepth 1 -maxdepth 1 -printf '%P\n' | sort`))
	expectLines(t, "names of find", found, listing(t, m.dir))
	expectText(t, "hidden names", shell(t, m.dir, `find . -maxdepth 1 -name '.?*' -o -name "@*"`), "")
	expectText(t, "find -xdev of the directory above", shell(t, "", `find "$(dirname "$1")" -xdev -path "$1/*"`, m.dir), "")
	expectText(t, "newer than an hour from now", shell(t, m.dir, `find . -newermt '1 hour'`), "")
	for _, image := range bulkImages {
		st := statOne(t, m.path(image+".tgz"))
		on := number(t, run(t, "du", "-B1", m.path(image+".tgz")))
		if on < st.size || on > st.size+4096 {
			t.Errorf("%s.tgz has %d bytes, and takes %d of a disk", image, st.size, on)
		}
	}
	r := process{args: []string{"getfattr", "-d", "-m", "-", m.path("kits.tgz")}, mayFail: true}.run(t)
	if r.stdout != "" || r.code != 0 && !strings.Contains(r.stderr, "Operation not supported") {
		t.Errorf("getfattr says %q, %q", r.stdout, r.stderr)
	}
	expectContains(t, "df", run(t, "df", "--output=fstype,target", m.dir), "fuse.imgexportfs", m.dir)
	expectText(t, "block size, length of names", run(t, "stat", "-f", "-c", "%s %S %l %b", m.path("kits")), "4096 4096 255 0\n")
}

// updatedb passes the mount by if it is told to; else its names are found, too. plocate's
// updatedb asks for no size of a file.
func TestUpdatedbPassesTheMountBy(t *testing.T) {
	needClients(t, "updatedb", "plocate")
	logVersion(t, "updatedb", "--version")
	site := newClientSite(t, bulkSite(t))
	m := site.mount(t, "--cache-dir", "")
	for _, c := range []struct{ prune, found string }{{"fuse.imgexportfs", "0\n"}, {"", "some"}} {
		database := t.TempDir() + "/database"
		run(t, "updatedb", "--require-visibility", "no", "--output", database, "--database-root", filepath.Dir(m.dir),
			"--prunefs", c.prune, "--prunepaths", "", "--prunenames", "")
		found := shell(t, "", `plocate -d "$1" -c "$2/" || true`, database, m.dir)
		if (found == "0\n") != (c.found == "0\n") {
			t.Errorf("with PRUNEFS=%q plocate finds %s", c.prune, found)
		}
		t.Logf("PRUNEFS=%q: %s names; bundles sized %v", c.prune, strings.TrimSpace(found),
			metricsOf(t, m).value(t, "imgexportfs_sizing_duration_seconds", ""))
	}
}

// number is the first field of a text.
func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.Fields(text + " -")[0], 10, 64)
	must(t, err)
	return n
}
