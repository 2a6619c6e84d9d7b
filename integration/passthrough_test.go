package integration

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

func init() { helpers["map"] = helperMap }

// helperMap FILE COPY maps FILE, closes it and compares what is mapped with
// COPY.
func helperMap(args []string) error {
	want, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	fd, err := unix.Open(args[0], unix.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", args[0], err)
	}
	got, err := unix.Mmap(fd, 0, len(want), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map %s: %w", args[0], err)
	}
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("close %s: %w", args[0], err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s holds other bytes when it is mapped", args[0])
	}
	return unix.Munmap(got)
}

// rootimg is the largest member of the image bar of smallSite, and where it
// comes from.
const rootimg = "rootimg.cpio.gz"

func rootimgSource(site *xcatsite.Site) string {
	return site.Path(xcatsite.ProfileDir("bar") + "/" + rootimg)
}

// needPassthrough asks for a kernel that can read for a FUSE server, and for
// sources on a file system where it does. There is nothing to blame if not.
func needPassthrough(t *testing.T) {
	t.Helper()
	var where unix.Statfs_t
	must(t, unix.Statfs(scratch, &where))
	if where.Type == unix.OVERLAYFS_SUPER_MAGIC {
		t.Skipf("%s is on an overlay", scratch)
	}
	var name unix.Utsname
	must(t, unix.Uname(&name))
	var major, minor int
	_, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor)
	must(t, err)
	if major < 6 || major == 6 && minor < 9 {
		t.Skipf("Linux %d.%d has no FUSE passthrough", major, minor)
	}
}

// reads counts the kernel's requests to read; the server must be mounted with
// --debug.
func (m *mount) reads() int { return strings.Count(m.wholeLog(), ": READ ") }

// A member that is passed through has the bytes of its source, however it is
// read, and the server is not asked for one of them.
func TestPassedMembersAreReadByTheKernel(t *testing.T) {
	needPassthrough(t)
	site := smallSite(t, 8<<20+123)
	m := mountSite(t, site.Dir(), "-o", "passthrough", "--debug")
	member, source := m.path("bar", rootimg), rootimgSource(site)
	for name, read := range map[string]func(){
		"cmp":      func() { run(t, "cmp", member, source) },
		"again":    func() { run(t, "cmp", member, source) },
		"O_DIRECT": func() { shell(t, "", `dd if="$1" bs=1M iflag=direct status=none | cmp - "$2"`, member, source) },
		"mapped":   func() { helperProcess(t, "map", member, source).run(t) },
		"at random": func() {
			helperProcess(t, "compare", member, source, strconv.FormatUint(randomSeed(t), 10), "250").run(t)
		},
	} {
		t.Run(name, func(t *testing.T) { read() })
	}
	if n := m.reads(); n != 0 {
		t.Errorf("the server was asked to read %d times: %s", n, clip(m.wholeLog()))
	}
}

// What the server makes itself is not passed through, and the directory as a
// whole is the same either way.
func TestPassedDirectoryIsTheSame(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	plain, passed := mountSite(t, site.Dir()), mountSite(t, site.Dir(), "-o", "passthrough")
	for _, image := range bulkImages {
		run(t, "diff", "-r", plain.path(image), passed.path(image))
	}
	expectText(t, "checksums of the bundles", checksums(t, passed.dir), checksums(t, plain.dir))
}

// Without the option every byte of a member comes from the server, which looks
// at the source after each read.
func TestMembersAreReadByTheServerUnlessAskedFor(t *testing.T) {
	site := smallSite(t, 1<<20)
	m := mountSite(t, site.Dir(), "--debug")
	run(t, "cmp", m.path("bar", rootimg), rootimgSource(site))
	if m.reads() == 0 {
		t.Errorf("the server was never asked to read: %s", clip(m.wholeLog()))
	}
}

// unpassable are file systems whose files the kernel will not read for a FUSE
// server, or not for every reader.
var unpassable = []struct{ name, mount, because string }{
	{"overlay", `mount -t tmpfs tmpfs "$1"; mkdir "$1/upper" "$1/work"; cp -a "$2" "$1/lower"
		mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" overlay "$2"; umount -l "$1"`, "register as backing file"},
	{"ramfs", `cp -a "$2/." "$1"; mount -t ramfs ramfs "$2"; cp -a "$1/." "$2"`, "open with O_DIRECT"},
}

// Where the kernel cannot read a source, the server does, and notices a
// change at once.
func TestMembersThatCannotBePassedAreRead(t *testing.T) {
	for _, fs := range unpassable {
		t.Run(fs.name, func(t *testing.T) {
			site := unpassableSite(t, fs.mount)
			m := mountSite(t, site.Dir(), "-o", "passthrough", "--debug", "--refresh", "100ms")
			member, source := m.path("bar", rootimg), rootimgSource(site)
			run(t, "cmp", member, source)
			shell(t, "", `dd if="$1" bs=1M iflag=direct status=none | cmp - "$2"`, member, source)
			if m.reads() == 0 {
				t.Errorf("the server was never asked to read")
			}
			expectContains(t, "log", m.wholeLog(), "the kernel cannot read this source by itself", fs.because)

			must(t, os.Chtimes(source, time.Now(), time.Now())) // what is cached does not count
			eventually(t, "the new version opens", func() bool {
				return process{args: []string{"head", "-c", "1", member}, mayFail: true}.run(t).code == 0
			})
			reader := hold(t, member, 1000)
			must(t, os.WriteFile(source, xcatsite.Noise("other", 8<<20), 0o600))
			if hash, errno := reader.rest(); errno != syscall.ESTALE {
				t.Errorf("the open reader got error %d (%v), hash %s; want ESTALE", errno, errno, hash)
			}
		})
	}
}

// A source that cannot be passed spoils no other: one that is open in this way
// can be opened again.
func TestUnpassableSourceSpoilsNoOther(t *testing.T) {
	needPassthrough(t)
	site := unpassableSite(t, unpassable[0].mount)
	must(t, site.AddStateless("elsewhere", xcatsite.Stateless{
		Kernel: []byte("kernel"), Ramdisk: []byte("ramdisk"), Rootimg: xcatsite.Noise("elsewhere", 1<<20),
	}))
	m := mountSite(t, site.Dir(), "-o", "passthrough", "--debug")
	passed := m.path("elsewhere", rootimg)
	shell(t, "", `exec 3< "$1"; cmp "$2" "$3"; cat "$1" > /dev/null`, passed, m.path("bar", rootimg), rootimgSource(site))
	before := m.reads()
	run(t, "cmp", passed, site.Path(xcatsite.ProfileDir("elsewhere")+"/"+rootimg))
	if after := m.reads(); after != before {
		t.Errorf("the server was asked to read %d times", after-before)
	}
}

// unpassableSite is smallSite with the files of bar on another file system.
func unpassableSite(t *testing.T, script string) *xcatsite.Site {
	t.Helper()
	needRoot(t)
	site := smallSite(t, 8<<20)
	dir := site.Path(xcatsite.ProfileDir("bar"))
	shell(t, "", script, t.TempDir(), dir)
	t.Cleanup(func() { run(t, "umount", "-l", dir) })
	return site
}

// However many readers open a member at once, and in whatever way, none is
// refused: the kernel refuses opens of one inode that do not go together.
func TestOpensOfOneMemberGoTogether(t *testing.T) {
	t.Parallel()
	sites := map[string]func() *xcatsite.Site{
		"passed": func() *xcatsite.Site { return smallSite(t, 1<<20) },
		"read":   func() *xcatsite.Site { return unpassableSite(t, unpassable[0].mount) },
	}
	for name, makeSite := range sites {
		t.Run(name, func(t *testing.T) {
			site := makeSite()
			m := mountSite(t, site.Dir(), "-o", "passthrough")
			for range 5 { // from no open at all
				shell(t, "", `exec 3< "$1"
					for i in {1..100}; do printf '%s\n' "" "iflag=direct" "iflag=nofollow"; done |
						xargs -P 8 -I{} sh -c 'dd if="$0" of=/dev/null bs=4096 count=2 status=none $1' "$1" {}
					cmp "$1" "$2"`, m.path("bar", rootimg), rootimgSource(site))
			}
		})
	}
}
