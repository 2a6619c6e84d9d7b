package integration

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// specialSite has an image with a kit that holds all kinds of files.
func specialSite(t *testing.T) (site *xcatsite.Site, kitDir string) {
	t.Helper()
	site = newSite(t)
	must(t, site.AddStateful("img", xcatsite.Row{"kitcomponents": "kit-1-comp"}, nil))
	kitDir, err := site.AddKit("kit-1", "kit-1-comp")
	must(t, err)
	in := func(name string) string { return site.Path(kitDir + "/" + name) }
	must(t, site.WriteFile(kitDir+"/repo/big.rpm", 0o644, xcatsite.Noise("big", 3<<20)))
	must(t, site.WriteFile(kitDir+"/alone", 0o600, []byte("alone")))
	must(t, os.Link(in("repo/big.rpm"), in("latest.rpm")))
	must(t, os.Link(in("repo/big.rpm"), in("repo/same.rpm")))
	must(t, syscall.Mkfifo(in("fifo"), 0o644))
	for name, kind := range map[string]uint32{"char": syscall.S_IFCHR, "block": syscall.S_IFBLK} {
		must(t, syscall.Mknod(in(name), kind|0o644, 1<<8|5)) // as a character device it is /dev/zero
	}
	return site, kitDir
}

// kinds describes files as stat and find do: which names are one file, too.
func kinds(t *testing.T, dir string) string {
	t.Helper()
	return shell(t, dir, `
		find . -mindepth 1 -not -type d -printf '%P %y %s\n' | sort
		find . -type b -o -type c | sort | xargs stat -c '%n %t:%T'`)
}

// links says which names are one file.
func links(t *testing.T, dir string) string {
	t.Helper()
	return shell(t, dir, `find . -type f -links +1 -printf '%i %P\n' | sort | awk '{ if ($1 == last) printf " "; else if (NR > 1) print ""; printf "%s", $2; last = $1 }'`)
}

func TestHardLinksAndSpecialFilesOfAKit(t *testing.T) {
	site, kitDir := specialSite(t)
	source := site.Path(kitDir)
	m := mountSite(t, site.Dir())
	expectText(t, "img.errors", strings.Join(typesOf(t, m.dir, "img.errors"), ""), "")

	work := t.TempDir()
	run(t, "cp", m.path("img.tgz"), work)
	shell(t, work, "mkdir out && tar xzf img.tgz -C out")
	unpacked := filepath.Join(work, "out/img/kit-1")
	run(t, "diff", "-r", source+"/repo", unpacked+"/repo")
	expectText(t, "files of the bundle", kinds(t, unpacked), kinds(t, source))
	expectText(t, "hard links of the bundle", links(t, unpacked), links(t, source))
	info, err := os.Stat(filepath.Join(work, "img.tgz"))
	must(t, err)
	if info.Size() > 4<<20 {
		t.Errorf("the bundle has %d bytes, so a file is stored more than once", info.Size())
	}
	run(t, "bsdtar", "-tzf", filepath.Join(work, "img.tgz"))

	mounted := m.path("img/kit-1")
	expectText(t, "files of the mount", kinds(t, mounted), kinds(t, source))
	for _, name := range []string{"latest.rpm", "repo/same.rpm", "repo/big.rpm"} {
		run(t, "cmp", filepath.Join(mounted, name), filepath.Join(source, "repo/big.rpm"))
	}
	for _, name := range []string{"fifo", "char", "block"} {
		if n, err := readSome(filepath.Join(mounted, name)); n != 0 {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
	// A copy of the directory holds them again.
	run(t, "cp", "-a", mounted, filepath.Join(work, "copy"))
	expectText(t, "files of the copy", kinds(t, filepath.Join(work, "copy")), kinds(t, source))
}

// readSome reads from a file without waiting.
func readSome(path string) (int, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = syscall.Close(fd) }()
	return syscall.Read(fd, make([]byte, 100))
}

// The name of a hard link that goes away, or another device number, is another bundle.
func TestAnotherLinkIsAnotherBundle(t *testing.T) {
	site, kitDir := specialSite(t)
	sum := func() string {
		work := t.TempDir()
		expectCode(t, program(t, work, "export", "--root", site.Dir(), "img"), 0)
		return shell(t, work, "sha256sum <img.tgz")
	}
	first := sum()
	expectText(t, "the same again", sum(), first)
	must(t, os.Remove(site.Path(kitDir+"/char")))
	must(t, syscall.Mknod(site.Path(kitDir+"/char"), syscall.S_IFCHR|0o644, 1<<8|3))
	second := sum()
	must(t, os.Remove(site.Path(kitDir+"/latest.rpm")))
	must(t, site.WriteFile(kitDir+"/latest.rpm", 0o644, xcatsite.Noise("big", 3<<20)))
	if third := sum(); first == second || second == third {
		t.Errorf("checksums %s, %s, %s", first, second, third)
	}
}
