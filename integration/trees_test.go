package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The directory NAME/ holds exactly what NAME.tgz holds.
func TestDirectoryAndBundleHoldTheSameTree(t *testing.T) {
	t.Parallel()
	for site, root := range map[string]string{"conformance": conformanceSite(t), "bulk": bulkSite(t).Dir()} {
		t.Run(site, func(t *testing.T) {
			m := mountSite(t, root)
			compared := shell(t, t.TempDir(), `
				for bundle in "$1"/*.tgz; do
					name=$(basename "$bundle" .tgz)
					rm -rf tar cp; mkdir tar cp
					tar -xzf "$bundle" -C tar
					cp -a -- "$1/$name" cp/
					diff -r --no-dereference tar cp
					echo "$name"
				done`, m.dir)
			if n := strings.Count(compared, "\n"); n < len(bulkImages) {
				t.Errorf("only %d bundles were compared", n)
			}
		})
	}
}

// What goes in comes out: imgimport's own way of unpacking a statelite tree
// gives the tree at the source, devices, owners, times and shared inodes too.
func TestUnpackedTreeIsTheSource(t *testing.T) {
	needTools(t, "cpio")
	site := bulkSite(t)
	m := mountSite(t, site.Dir())
	work := t.TempDir()
	shell(t, work, `
		tar -xzf "$1"
		gzip -t statelite/rootimgtree.gz
		zcat statelite/rootimgtree.gz | cpio --quiet -idum
		# what diff cannot compare, it calls different; the listings below can
		diff -r --no-dereference -x null -x sda -x initctl "$2" rootimg`, m.path("statelite.tgz"), site.Path(site.TreeDir("statelite")))
	// The times of directories are those of the unpacking with cpio -d, so
	// they are left out; link counts are compared as groups of names.
	describe := `cd "$1"
		find . -type d -printf '%m %U:%G %y %p\0' -o -type f -printf '%m %U:%G %y %p %s %T@ %n\0' \
			-o -type l -printf '%U:%G %y %p -> %l\0' -o -printf '%m %U:%G %y %p\0' | sort -z | tr '\0\n' '\n#'
		find . -type c -o -type b | sort | xargs stat -c '%n %t,%T'
		for f in $(find . -name 'many-*' | sort); do [ "$f" -ef ./usr/bin/many-1 ] && echo "$f is many-1"; done`
	want := shell(t, work, describe, site.Path(site.TreeDir("statelite")))
	got := shell(t, work, describe, filepath.Join(work, "rootimg"))
	expectLines(t, "trees", strings.Split(got, "\n"), withWholeSeconds(strings.Split(want, "\n")))
	if !strings.Contains(got, "./etc/many-3 is many-1") {
		t.Errorf("hard links are not looked at: %s", got)
	}
}

// withWholeSeconds cuts the fraction of times, which newc cannot carry.
func withWholeSeconds(lines []string) []string {
	for i, line := range lines {
		fields := strings.Split(line, " ")
		if len(fields) < 6 || fields[2] != "f" {
			continue
		}
		at := len(fields) - 2 // a name may hold blanks
		whole, _, _ := strings.Cut(fields[at], ".")
		fields[at] = whole + ".0000000000"
		lines[i] = strings.Join(fields, " ")
	}
	return lines
}

// Modes, owners and times of members are those of docs/rules.md, section 4: owner
// root, mode & 0755, the time of the source; inside an extra directory all of
// it as it was.
func TestMembersKeepModeOwnerAndTime(t *testing.T) {
	site := smallSite(t, 1000)
	must(t, site.WriteFile("/install/custom/install/rh/foo.pkglist", 0o777, []byte("p")))
	must(t, site.WriteFile("/install/extra/dir/file", 0o666, []byte("e")))
	must(t, os.Chown(site.Path("/install/extra/dir/file"), 1000, 1001))
	must(t, os.Chown(site.Path("/install/custom/install/rh/foo.pkglist"), 1000, 1001))
	work := t.TempDir()
	expectCode(t, program(t, work, "export", "--root", site.Dir(), "foo", "-e", "/install/extra/dir:/opt"), 0)
	b := mustReadTarball(t, filepath.Join(work, "foo.tgz"))
	for name, want := range map[string]header{
		"./foo/foo.pkglist":                  {0, 0, "root", "root", 1, 1704164645},
		"./foo/extra/install/extra/dir/file": {1000, 1001, "", "", 1, 1704164645},
	} {
		if b.headers[name] != want {
			t.Errorf("%s: %+v, want %+v", name, b.headers[name], want)
		}
	}
	expectContains(t, "members", strings.Join(b.members, "\n"),
		"0755 ./foo/foo.pkglist ", "0666 ./foo/extra/install/extra/dir/file ", "0755 ./foo/extra/install dir")
}

// What newc has no room for is said, and does not stop the export.
func TestExtendedAttributesAreSaid(t *testing.T) {
	needTools(t, "setfattr")
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	must(t, site.WriteFile(site.TreeDir("lite")+"/usr/bin/ping", 0o755, []byte("ping")))
	run(t, "setfattr", "-n", "trusted.test", "-v", "value", site.Path(site.TreeDir("lite")+"/usr/bin/ping"))
	work := t.TempDir()
	r := program(t, work, "export", "--root", site.Dir(), "lite")
	expectCode(t, r, 0)
	expectContains(t, "stderr", r.stderr, "Warning: ", "extended attribute", "rootimg/usr/bin/ping")
	expectLines(t, "files", listing(t, work), []string{"lite.tgz"})
}
