package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// makeDeep makes so many directories in each other below dir, with a file in the last one.
// Their path may be longer than a call takes.
func makeDeep(t *testing.T, dir string, levels int) {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	for range levels {
		must(t, unix.Mkdirat(fd, "d", 0o755))
		next, err := unix.Openat(fd, "d", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, err)
		must(t, unix.Close(fd))
		fd = next
	}
	file, err := unix.Openat(fd, "file", unix.O_CREAT|unix.O_WRONLY, 0o644)
	must(t, err)
	must(t, unix.Close(file))
	must(t, unix.Close(fd))
}

// deepPlaces are where an image may have a deep directory: in its root tree, in a kit, and in
// an extra directory.
func deepPlaces(t *testing.T, levels int) (site *xcatsite.Site, config string) {
	t.Helper()
	site = newSite(t)
	must(t, site.AddStatelite("tree", []byte("kernel"), []byte("ramdisk")))
	dir, err := site.AddKit("kit", "comp")
	must(t, err)
	must(t, site.AddStateful("inkit", xcatsite.Row{"kitcomponents": "comp"}, nil))
	must(t, site.AddStateful("inextra", nil, nil))
	for _, place := range []string{site.TreeDir("tree"), dir, "/install/extra"} {
		must(t, os.MkdirAll(site.Path(place), 0o755))
		makeDeep(t, site.Path(place), levels)
	}
	config = filepath.Join(t.TempDir(), "config.yaml")
	must(t, os.WriteFile(config, []byte("images: {inextra: {extra: /install/extra}}\n"), 0o600))
	return site, config
}

// Paths that are nearly as long as a call takes are exported whole.
func TestDeepTreesAreExported(t *testing.T) {
	t.Parallel()
	needTools(t, "cpio")
	levels := 500
	if soaking() {
		levels = 1500 // 3,000 bytes, and the site's own path
	}
	site, config := deepPlaces(t, levels)
	m := mountSite(t, site.Dir(), "--config", config)
	for image, at := range map[string]string{"inkit": "inkit/kit", "inextra": "inextra/extra/install/extra"} {
		got := shell(t, "", `tar -tzf "$1" | grep -c "^./$2/\(d/\)*\(file\)\?$"`, m.path(image+".tgz"), at)
		expectText(t, "members of "+image, strings.TrimSpace(got), fmt.Sprint(levels+2))
	}
	got := shell(t, "", `tar -xzOf "$1" ./tree/rootimgtree.gz | zcat | cpio --quiet -it | grep -c "^rootimg/\(d/\)*d\(/file\)\?$"`, m.path("tree.tgz"))
	expectText(t, "entries of the tree", strings.TrimSpace(got), fmt.Sprint(levels+1))
}

// A tree whose paths are longer than a call takes, which neither cpio nor tar can unpack, is
// refused with the place, or left out with a line; nothing of it is cut silently.
func TestTreesDeeperThanAPathAreNamed(t *testing.T) {
	t.Parallel()
	const levels = 4000
	site, config := deepPlaces(t, levels)
	t.Cleanup(func() { run(t, "rm", "-rf", site.Dir()) }) // os.RemoveAll takes minutes
	images := []string{"tree", "inkit", "inextra"}
	for _, image := range images {
		work := t.TempDir()
		r := program(t, work, "export", "--root", site.Dir(), "--config", config, image)
		t.Logf("export of %s: %v", image, r.took)
		expectCode(t, r, 1)
		expectContains(t, "stderr of "+image, r.stderr, "Error: ", "/d/d/d/", "too long")
		if len(r.stderr) > 100_000 {
			t.Errorf("%s: %d bytes of messages", image, len(r.stderr))
		}
	}
	if !soaking() {
		return // a mount walks the three at once
	}
	m := mountSite(t, site.Dir(), "--config", config)
	for _, image := range images {
		text, began, tries := "", time.Now(), 0
		eventually(t, image+".errors can be read", func() bool {
			r := process{args: []string{"cat", m.path(image + ".errors")}, mayFail: true}.run(t)
			text = r.stdout
			tries++
			return r.code == 0
		})
		t.Logf("%s.errors: %v, tries %d", image, time.Since(began), tries)
		expectContains(t, image+".errors", text, "Error: ", "too long")
	}
}

// 200,000 entries in one directory are all there, in a tree, a kit and an extra directory.
func TestHugeDirectoriesAreWhole(t *testing.T) {
	t.Parallel()
	needTools(t, "cpio")
	n := 20_000
	if soaking() {
		n = 200_000
	}
	site := newSite(t)
	must(t, site.AddStatelite("tree", []byte("kernel"), []byte("ramdisk")))
	dir, err := site.AddKit("kit", "comp")
	must(t, err)
	must(t, site.AddStateful("inkit", xcatsite.Row{"kitcomponents": "comp"}, nil))
	must(t, os.MkdirAll(site.Path(dir), 0o755))
	for _, place := range []string{site.Path(dir), site.Path(site.TreeDir("tree"))} {
		for i := range n {
			must(t, os.WriteFile(fmt.Sprintf("%s/entry-%06d", place, i), nil, 0o644))
		}
	}
	// On a busy host one look takes longer than a request waits.
	m := mountSite(t, site.Dir(), "--memory", "64MiB", "--refresh", "1h")
	started := time.Now()
	eventually(t, "the image was looked at", func() bool {
		return process{args: []string{"stat", m.path("inkit", "kit")}, mayFail: true}.run(t).code == 0
	})
	got := process{args: []string{"bash", "-euo", "pipefail", "-c", `
		ls -f "$1/inkit/kit" | grep -c entry-
		tar -tzf "$1/inkit.tgz" | grep -c entry-
		tar -xzOf "$1/tree.tgz" ./tree/rootimgtree.gz | zcat | cpio --quiet -it | grep -c entry-
		stat "$1/inkit/kit/entry-000007" >/dev/null`, "bash", m.dir}, limit: 10 * time.Minute}.run(t)
	expectText(t, "entries", got.stdout, strings.Repeat(fmt.Sprintln(n), 3))
	t.Logf("%d entries in one directory: %v, at most %d MiB resident", n, time.Since(started), m.peakMemory(t)>>20)
	if most := int64(160<<20) + int64(n)*3000; m.peakMemory(t) > most && !raced() {
		t.Errorf("the server has had %d MiB resident, want at most %d", m.peakMemory(t)>>20, most>>20)
	}
}

// A directory of a bundle whose plan is larger than --memory is listed in one go: the plan
// is not made again for each name that the kernel looks up.
func TestADirectoryLargerThanTheMemoryIsListed(t *testing.T) {
	t.Parallel()
	const n = 10_000
	site := newSite(t)
	dir, err := site.AddKit("kit", "comp")
	must(t, err)
	must(t, site.AddStateful("inkit", xcatsite.Row{"kitcomponents": "comp"}, nil))
	for i := range n {
		must(t, site.WriteFile(fmt.Sprintf("%s/entry-%06d", dir, i), 0o644, nil))
	}
	m := mountSite(t, site.Dir(), "--memory", "1MiB", "--refresh", "1h")
	for _, ls := range []string{"ls -f", "ls -l"} {
		got := shell(t, m.dir, ls+` inkit/kit | grep -c entry-; ls -l inkit | wc -l`)
		expectText(t, ls, strings.Fields(got)[0], fmt.Sprint(n))
	}
}

// Names as long as a file system takes are kept. An image with such a name can have no file
// of its name and .tgz; it is named in its .errors, and goes to a stream or a chosen file.
func TestNamesOf255Bytes(t *testing.T) {
	needTools(t, "cpio")
	long := strings.Repeat("n", 255)
	site := newSite(t)
	must(t, site.AddStatelite("tree", []byte("kernel"), []byte("ramdisk")))
	must(t, site.WriteFile(site.TreeDir("tree")+"/"+long, 0o644, []byte("x")))
	dir, err := site.AddKit(long[:200], "comp")
	must(t, err)
	must(t, site.WriteFile(dir+"/"+long, 0o644, []byte("x")))
	must(t, site.WriteFile("/install/lists/"+long, 0o644, []byte("x")))
	must(t, site.AddStateful("foo", xcatsite.Row{"kitcomponents": "comp"}, xcatsite.Row{"otherpkglist": "/install/lists/" + long}))
	for n := 251; n <= 256; n++ {
		addPlain(t, site, strings.Repeat("i", n))
	}
	m := mountSite(t, site.Dir())
	expectText(t, "members", shell(t, "", `tar -tzf "$1/foo.tgz" | grep -c "/$2\$"; tar -xzOf "$1/tree.tgz" ./tree/rootimgtree.gz | zcat | cpio --quiet -it | grep -c "/$2\$"; cat "$1/foo/$2"`, m.dir, long), "2\n1\nx")
	for n := 251; n <= 256; n++ {
		image, work := strings.Repeat("i", n), t.TempDir()
		r := program(t, work, "export", "--root", site.Dir(), image)
		switch {
		case n+len(".tgz") <= 255:
			expectCode(t, r, 0)
			expectLines(t, "files", listing(t, work), []string{image + ".tgz"})
		default:
			if r.code == 0 || !strings.Contains(r.stderr, image[:200]) && !strings.Contains(r.stderr, fmt.Sprint(n)) {
				t.Errorf("an image name of %d bytes: exit code %d: %s", n, r.code, clip(r.stderr))
			}
			expectLines(t, "files", listing(t, work), nil)
		}
		r = program(t, work, "export", "--root", site.Dir(), image, "short.tgz")
		if n <= 255 {
			expectCode(t, r, 0)
			expectCode(t, program(t, work, "verify", "--root", site.Dir(), "short.tgz"), 0)
		} else {
			expectCode(t, r, 1)
		}
	}
	var problems int
	for _, name := range listing(t, m.dir) {
		if strings.HasPrefix(name, "iii") {
			problems++
			expectContains(t, name, run(t, "cat", m.path(name)), "Error: image name of ")
		}
	}
	if problems != 6 {
		t.Errorf("%d .errors files of 6 images", problems)
	}
}
