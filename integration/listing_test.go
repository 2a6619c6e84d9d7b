package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// listing is the names in a directory, in byte order, hidden ones too.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	out := shell(t, dir, `find . -mindepth 1 -maxdepth 1 -printf '%f\0' | LC_ALL=C sort -z`)
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

// ls shows of every visible image what there is of it and nothing else: no
// bundle where there is none, no node, no hidden file.
func TestListingShowsExactlyWhatThereIs(t *testing.T) {
	site := conformanceSite(t)
	var want []string
	for _, c := range loadCases(t) {
		if len(c.Args) > 0 {
			continue
		}
		e := expectationOf(t, c, site)
		if e.noSuchImage() {
			continue
		}
		name := blanks.ReplaceAllString(c.Image, "_")
		if hiddenName(c.Image) {
			want = append(want, errorsName(c.Image))
			continue
		}
		if !strings.Contains(name, "/") {
			want = append(want, name)
		}
		if len(e.errors)+len(e.says) > 0 {
			want = append(want, errorsName(c.Image))
		}
		if e.bundle != "" {
			want = append(want, name+".tgz", name+".tgz.sha256")
		}
	}
	slices.Sort(want)
	m := mountSite(t, site)
	expectLines(t, "names", listing(t, m.dir), want)
	expectLines(t, "names in @n1", listing(t, m.path("@n1")), want)
}

// The order of a listing is the same in every run.
func TestListingHasOneOrder(t *testing.T) {
	site := conformanceSite(t)
	var first string
	for i := range 2 {
		names := run(t, "ls", "-U", mountSite(t, site).dir)
		if i == 0 {
			first = names
		}
		expectText(t, "ls -U", names, first)
	}
}

// An image that appears or goes shows at the next look, without a new mount.
func TestListingFollowsTheTables(t *testing.T) {
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir(), "--refresh", "100ms")
	both := []string{"bar", "bar.tgz", "bar.tgz.sha256", "foo", "foo.tgz", "foo.tgz.sha256"}
	expectLines(t, "names", listing(t, m.dir), both)
	must(t, site.AddStateful("new", nil, nil))
	eventually(t, "the new image shows", func() bool {
		return slices.Equal(listing(t, m.dir), append(slices.Clone(both), "new", "new.tgz", "new.tgz.sha256"))
	})
	must(t, site.Exec("osimage", `UPDATE osimage SET disable = 'yes' WHERE imagename != 'new'`))
	eventually(t, "the disabled images go", func() bool {
		return slices.Equal(listing(t, m.dir), []string{"new", "new.tgz", "new.tgz.sha256"})
	})
	eventually(t, "the disabled files go", func() bool {
		return typesOf(t, m.dir, "foo", "foo.tgz", "foo.errors") == nil
	})
}

// A node's directory is found by name, below it the same names, and the
// bundle has the node's postscripts. Nothing else that starts with @ is there.
func TestNodeDirectoryIsFoundButNotListed(t *testing.T) {
	site := smallSite(t, 1000)
	must(t, site.Insert("nodelist", xcatsite.Row{"node": "n1", "groups": "all"}))
	must(t, site.Insert("nodelist", xcatsite.Row{"node": "n2", "groups": "all"}))
	must(t, site.Insert("postscripts", xcatsite.Row{"node": "n2", "postscripts": "only-on-n2"}))
	m := mountSite(t, site.Dir())
	plain := listing(t, m.dir)
	if slices.ContainsFunc(plain, func(name string) bool { return strings.HasPrefix(name, "@") }) {
		t.Errorf("nodes are listed: %q", plain)
	}
	expectLines(t, "names in @n2", listing(t, m.path("@n2")), plain)
	for node, has := range map[string]bool{"@n1": false, "@n2": true, "@n2,n1": false, "@n[2-2]": true, "@n2-n2": true, "@all": false} {
		manifest := run(t, "cat", m.path(node, "foo", "manifest.xml"))
		if strings.Contains(manifest, "only-on-n2") != has {
			t.Errorf("the manifest of %s/foo: names n2's script: %v, want %v: %s", node, !has, has, manifest)
		}
	}
	expectLines(t, "odd names", typesOf(t, m.dir, "@", "@nosuch", "@n1x", "@n1,nosuch,-n1", "@../n1", "n1"), nil)
	expectLines(t, "a node below a node", typesOf(t, m.path("@n1"), "@n2"), nil)
}

// Nothing can be changed through the mount, and every attempt says why.
func TestMountIsReadOnly(t *testing.T) {
	m := mountSite(t, smallSite(t, 1000).Dir())
	file, dir := m.path("foo.tgz"), m.path("foo")
	for _, attempt := range [][]string{
		{"touch", m.path("new")},
		{"touch", file},
		{"rm", file},
		{"rm", m.path("foo", "manifest.xml")},
		{"mkdir", m.path("newdir")},
		{"rmdir", dir},
		{"mv", file, m.path("other.tgz")},
		{"mv", "/etc/hostname", m.path("foo", "hostname")},
		{"ln", file, m.path("link.tgz")},
		{"ln", "-s", "x", m.path("symlink")},
		{"chmod", "600", file},
		{"chown", "1000", file},
		{"truncate", "-s", "0", file},
		{"cp", "/etc/passwd", file},
		{"mkfifo", m.path("fifo")},
		{"dd", "if=/dev/zero", "of=" + file, "conv=notrunc", "count=1"},
	} {
		t.Run(strings.Join(attempt[:1], " "), func(t *testing.T) {
			r := process{args: attempt, mayFail: true}.run(t)
			if r.code == 0 || !strings.Contains(r.stderr, "Read-only file system") {
				t.Errorf("%q: exit code %d: %q", attempt, r.code, r.stderr)
			}
		})
	}
}

// The owner is who mounted, and permissions are as private as the images'
// contents unless umask says otherwise.
func TestPermissionsFollowUmask(t *testing.T) {
	site := smallSite(t, 1000)
	for flags, want := range map[string]string{
		"":                      "500 400 500 400",
		"-o umask=022":          "555 444 555 444",
		"-o umask=027,ro":       "550 440 550 440",
		"-o allow_other,umask=": "",
	} {
		t.Run(flags, func(t *testing.T) {
			if want == "" {
				r := program(t, t.TempDir(), append(append([]string{"mount"}, strings.Fields(flags)...), "--root", site.Dir(), t.TempDir())...)
				expectCode(t, r, 2)
				return
			}
			m := mountSite(t, site.Dir(), strings.Fields(flags)...)
			got := run(t, "stat", "-c", "%a", m.dir, m.path("foo.tgz"), m.path("foo"), m.path("foo/manifest.xml"))
			expectText(t, "modes", strings.Join(strings.Fields(got), " "), want)
			expectText(t, "owner", run(t, "stat", "-c", "%u:%g", m.path("foo.tgz")), "0:0\n")
		})
	}
}

// Other users see a mount only with allow_other.
func TestOtherUsersNeedAllowOther(t *testing.T) {
	site := smallSite(t, 1000)
	look := func(dir string) result {
		return process{args: []string{"cat", dir + "/foo/manifest.xml"}, mayFail: true, as: nobody()}.run(t)
	}
	private := mountSite(t, site.Dir(), "-o", "umask=022")
	public := mountSite(t, site.Dir(), "-o", "allow_other,umask=022")
	closed := mountSite(t, site.Dir(), "-o", "allow_other")
	for _, m := range []*mount{private, public, closed} {
		openTheWay(t, m.dir)
	}
	if r := look(private.dir); r.code == 0 {
		t.Error("another user can read a mount without allow_other")
	}
	if r := look(public.dir); r.code != 0 {
		t.Errorf("another user cannot read a mount with allow_other,umask=022: %s", r.stderr)
	}
	if r := look(closed.dir); r.code == 0 {
		t.Error("another user can read files of mode 0400")
	}
}

// A catalog with many images is listed at once: nothing is sized for it.
func TestListingOfManyImagesIsQuick(t *testing.T) {
	site := newSite(t)
	must(t, site.WriteFile("/install/t.tmpl", 0o644, []byte("t")))
	const images = 2000
	insert := func(table, column, value string) {
		must(t, site.Exec(table, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
			INSERT INTO %s (imagename, %s) SELECT 'image' || i, '%s' FROM n`, images, table, column, value)))
	}
	insert("osimage", "provmethod", "install")
	must(t, site.Exec("osimage", `UPDATE osimage SET profile='p', osvers='rhels9', osarch='x86_64'`))
	insert("linuximage", "template", "/install/t.tmpl")
	m := mountSite(t, site.Dir())
	r := process{args: []string{"bash", "-c", `ls "$1" | wc -l`, "bash", m.dir}}.run(t)
	expectText(t, "number of names", strings.TrimSpace(r.stdout), fmt.Sprint(3*images))
	if r.took.Seconds() > 10 {
		t.Errorf("ls of %d images takes %v", images, r.took)
	}
}
