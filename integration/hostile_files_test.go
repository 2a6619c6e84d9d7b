package integration

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// A path in a table may lead to anything. Opening a fifo waits for a writer
// and opening a device can have effects, so neither is ever opened: the file
// is skipped with a message, or the image refused where it needs the file.
func TestListedSpecialFilesNeverHang(t *testing.T) {
	t.Parallel()
	makers := map[string]func(path string) error{
		"fifo":    func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"device":  func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|5) }, // /dev/zero
		"tape":    func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o666, 9<<8) },   // no driver
		"socket":  makeSocket,
		"loop":    func(path string) error { return os.Symlink(filepath.Base(path), path) },
		"to fifo": makeLinkToFifo,
	}
	for name, make := range makers {
		t.Run(name, func(t *testing.T) {
			site := smallSite(t, 1000)
			listed := site.Path("/install/custom/install/rh/foo.pkglist")
			rootimg := site.Path(xcatsite.ProfileDir("bar") + "/rootimg.cpio.gz")
			for _, path := range []string{listed, rootimg} {
				must(t, os.Remove(path))
				must(t, make(path))
			}
			m := mountSite(t, site.Dir())
			for _, command := range [][]string{{"list", "--root", site.Dir()}, {"check", "--root", site.Dir()}} {
				expectQuick(t, program(t, t.TempDir(), command...))
			}
			work := t.TempDir()
			r := program(t, work, "export", "--root", site.Dir(), "foo")
			expectQuick(t, r)
			expectCode(t, r, 1)
			expectContains(t, "stderr", r.stderr, "Error: Couldn't ", "foo.pkglist", "Skip.")
			if b := mustReadTarball(t, filepath.Join(work, "foo.tgz")); strings.Contains(strings.Join(b.members, "\n"), "pkglist") {
				t.Errorf("the bundle holds it: %q", b.members)
			}
			expectContains(t, "foo.errors", run(t, "cat", m.path("foo.errors")), "Couldn't ", "foo.pkglist")
			run(t, "cp", m.path("foo.tgz"), work)

			r = program(t, work, "export", "--root", site.Dir(), "bar")
			expectQuick(t, r)
			expectCode(t, r, 1)
			expectLines(t, "files of a refused image", typesOf(t, m.dir, "bar", "bar.tgz", "bar.errors"),
				[]string{"bar directory", "bar.errors regular file"})
		})
	}
}

func expectQuick(t *testing.T, r result) {
	t.Helper()
	if r.took > 10*time.Second {
		t.Errorf("took %v", r.took)
	}
}

func makeSocket(path string) error {
	short, err := os.MkdirTemp("/tmp", "s") // a socket's name has room for 107 bytes
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(short) }()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short + "/s", Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		return err
	}
	return os.Rename(short+"/s", path)
}

func makeLinkToFifo(path string) error {
	if err := syscall.Mkfifo(path+".fifo", 0o644); err != nil {
		return err
	}
	return os.Symlink(filepath.Base(path)+".fifo", path)
}

// Fifos inside a kit or an extra directory are exported and never opened. Sockets,
// which tar cannot hold, are left out with a line about each.
func TestSpecialFilesInDirectoriesNeverHang(t *testing.T) {
	site := newSite(t)
	dir, err := site.AddKit("kit", "comp")
	must(t, err)
	must(t, site.WriteFile(dir+"/good", 0o644, []byte("good")))
	must(t, syscall.Mkfifo(site.Path(dir+"/fifo"), 0o644))
	must(t, makeSocket(site.Path(dir+"/socket")))
	must(t, site.AddStateful("foo", xcatsite.Row{"kitcomponents": "comp"}, nil))
	must(t, site.WriteFile("/extra/good", 0o644, []byte("good")))
	must(t, syscall.Mkfifo(site.Path("/extra/fifo"), 0o640))
	must(t, makeSocket(site.Path("/extra/socket")))
	work := t.TempDir()
	r := program(t, work, "export", "--root", site.Dir(), "foo", "-e", "/extra:/opt")
	expectQuick(t, r)
	expectCode(t, r, 0)
	expectContains(t, "stderr", r.stderr, "Warning: "+dir+"/socket of foo is a socket", "Warning: /extra/socket of foo is a socket")
	members := strings.Join(mustReadTarball(t, filepath.Join(work, "foo.tgz")).members, "\n")
	expectContains(t, "members", members, "./foo/kit/good ", "./foo/extra/extra/good ", "0644 ./foo/kit/fifo fifo", "0640 ./foo/extra/extra/fifo fifo")
	if strings.Contains(members, "socket") {
		t.Errorf("the bundle holds a socket: %s", members)
	}
}

// What the user who exports cannot read is said, and not replaced by nothing.
func TestUnreadableFileIsAProblem(t *testing.T) {
	site := smallSite(t, 1000)
	run(t, "chmod", "-R", "a+rX", site.Dir())
	openTheWay(t, site.Path("x"))
	must(t, os.Chmod(site.Path("/install/custom/install/rh/foo.pkglist"), 0o600))
	must(t, os.Chmod(site.Path(xcatsite.ProfileDir("bar")+"/rootimg.cpio.gz"), 0o600))
	export := func(image string) (result, string) {
		work := emptyDir(t, "work-"+image)
		must(t, os.Chmod(work, 0o777))
		openTheWay(t, work)
		return process{args: []string{programFile, "export", "--root", site.Dir(), image}, dir: work, as: nobody(), mayFail: true}.run(t), work
	}
	r, work := export("foo")
	expectCode(t, r, 1)
	expectContains(t, "stderr", r.stderr, "Couldn't read file /install/custom/install/rh/foo.pkglist for foo", "permission denied", "Skip.")
	expectLines(t, "files", listing(t, work), []string{"foo.tgz"})
	r, work = export("bar")
	expectCode(t, r, 1)
	expectContains(t, "stderr", r.stderr, "rootimg.cpio.gz")
	expectLines(t, "files", listing(t, work), nil)
}

// A file that vanishes between two looks is a message, not a crash, whether
// the image needs it or not.
func TestVanishedFiles(t *testing.T) {
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir(), "--refresh", "100ms")
	expectLines(t, "files", typesOf(t, m.dir, "foo.tgz", "foo.errors"), []string{"foo.tgz regular file"})
	must(t, os.Remove(site.Path("/install/custom/install/rh/foo.pkglist")))
	eventually(t, "foo.errors appears", func() bool { return len(typesOf(t, m.dir, "foo.errors")) == 1 })
	expectText(t, "foo.errors", run(t, "cat", m.path("foo.errors")),
		"Error: Couldn't find file /install/custom/install/rh/foo.pkglist for foo. Skip.\n")
	members := run(t, "tar", "-tzf", m.path("foo.tgz"))
	expectText(t, "members", members, "./\n./foo/\n./foo/manifest.xml\n./foo/foo.tmpl\n")
	must(t, os.RemoveAll(site.Path(xcatsite.ProfileDir("bar"))))
	expectNothingLeftOfBar(t, m)
	must(t, site.WriteFile("/install/custom/install/rh/foo.pkglist", 0o644, []byte("back\n")))
	eventually(t, "foo.errors goes", func() bool { return len(typesOf(t, m.dir, "foo.errors")) == 0 })
}

// expectNothingLeftOfBar waits until bar, which has lost everything, has no bundle.
func expectNothingLeftOfBar(t *testing.T, m *mount) {
	t.Helper()
	eventually(t, "bar.tgz goes", func() bool { return len(typesOf(t, m.dir, "bar.tgz", "bar.tgz.sha256")) == 0 })
	expectContains(t, "bar.errors", run(t, "cat", m.path("bar.errors")),
		"Couldn't find ramdisk (initrd-stateless.gz) for  bar", "Couldn't find kernel (kernel) for  bar")
}
