package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What may be missing around the program. An error names the next step.

// bareSite is a site that is a whole root as well: it holds the program, and nothing else.
func bareSite(t *testing.T) string {
	t.Helper()
	site := smallSite(t, 1000)
	run(t, "cp", programFile, site.Path("/imgexportfs"))
	for _, dir := range []string{"/mnt", "/out", "/proc", "/dev"} {
		must(t, os.MkdirAll(site.Path(dir), 0o755))
	}
	return site.Dir()
}

// inside runs a script in mounts of its own, where $root is a bare root.
func inside(t *testing.T, root, script string, env ...string) result {
	t.Helper()
	needRoot(t)
	if raced() {
		t.Skip("a program with the race detector is not static, and the bare root has no libraries")
	}
	needTools(t, "unshare", "chroot")
	return process{
		args: []string{"unshare", "-m", "--propagation", "private", "bash", "-uc", script},
		env:  append(env, "root="+root, "program="+programFile), mayFail: true,
	}.run(t)
}

// Without /proc the program cannot see what is mounted, and says what to do.
func TestWithoutProcTheErrorSaysWhatToDo(t *testing.T) {
	root := bareSite(t)
	for _, command := range []string{"list", "check", "export foo /out/", "mount /mnt", "dump /out"} {
		r := inside(t, root, `exec chroot "$root" /imgexportfs `+command)
		expectCode(t, r, 3)
		expectContains(t, "the error of "+command, r.stderr, "/proc", "mount -t proc proc /proc")
	}
	for command, code := range map[string]int{"version": 0, "--help": 0, "umount /mnt": 4, "status": 4, "verify --against none /out/none.tgz": 1} {
		r := inside(t, root, `exec chroot "$root" /imgexportfs `+command)
		expectCode(t, r, code)
		if code == 4 {
			expectContains(t, "the error of "+command, r.stderr, "mount -t proc proc /proc")
		}
	}
	if left, err := readNames(filepath.Join(root, "out")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
	r := inside(t, root, `mount -t proc proc "$root/proc" && chroot "$root" /imgexportfs export foo /out/ && gzip -t "$root/out/foo.tgz"`)
	expectCode(t, r, 0)
}

// Without /dev/fuse, or without FUSE, a mount says what to do.
func TestWithoutFUSEAMountSaysWhatToDo(t *testing.T) {
	root := bareSite(t)
	r := inside(t, root, `mount -t proc proc "$root/proc" && chroot "$root" /imgexportfs mount /mnt`)
	expectCode(t, r, 4)
	expectContains(t, "the error", r.stderr, "/dev/fuse", "modprobe fuse", "container")
	r = inside(t, root, `mount -t proc proc "$root/proc" && touch "$root/dev/fuse" && chroot "$root" /imgexportfs mount /mnt`)
	expectCode(t, r, 4)
	expectContains(t, "the error of what is no device", r.stderr, "/dev/fuse", "modprobe fuse")
}

// A user who is not root needs fusermount3, and is told so.
func TestWithoutFusermountAMountSaysWhatToDo(t *testing.T) {
	needFUSE(t)
	root := bareSite(t)
	must(t, os.Chown(filepath.Join(root, "mnt"), 65534, 65534))
	run(t, "chmod", "-R", "a+rX", root)
	openTheWay(t, root)
	r := inside(t, root, `mount -t proc proc "$root/proc" && touch "$root/dev/fuse" && mount --bind /dev/fuse "$root/dev/fuse" &&
		exec chroot --userspec=65534:65534 "$root" /imgexportfs mount /mnt`)
	expectCode(t, r, 4)
	expectContains(t, "the error", r.stderr, "only root", "fusermount3 is not installed", "package fuse3")
}

// Neither a home directory nor one for temporary files is needed.
func TestNeitherHomeNorTmpIsNeeded(t *testing.T) {
	needFUSE(t)
	site, full := mixedSite(t), emptyDir(t, "tmp")
	must(t, unix.Mount("tmpfs", full, "tmpfs", 0, "size=4k,mode=1777"))
	t.Cleanup(func() { _ = unix.Unmount(full, unix.MNT_DETACH) })
	_ = os.WriteFile(filepath.Join(full, "all"), make([]byte, 8<<10), 0o600) // fails, and takes all there is
	for name, env := range map[string][]string{
		"nothing is set":  {"HOME", "TMPDIR", "XDG_CACHE_HOME", "PATH", "USER", "LC_ALL", "TZ"},
		"no such places":  {"HOME=/nosuch", "TMPDIR=/nosuch"},
		"not a directory": {"HOME=/etc/passwd", "TMPDIR=/etc/passwd"},
		"no space there":  {"HOME=" + full, "TMPDIR=" + full},
	} {
		t.Run(name, func(t *testing.T) {
			work := t.TempDir()
			script := `env "${@:4}" "$1" export --root "$2" mixed && gzip -t mixed.tgz && env "${@:4}" "$1" dump --root "$2" . >&2 &&
				env "${@:4}" "$1" mount --daemon --root "$2" "$3" && cmp mixed.tgz "$3/mixed.tgz"; code=$?
				env "${@:4}" "$1" umount "$3" && exit $code`
			dir := t.TempDir()
			unmountAtEnd(t, dir)
			args := []string{"bash", "-c", script, "bash", programFile, site.Dir(), dir}
			for _, e := range env {
				if !strings.Contains(e, "=") {
					args = append(args, "-u")
				}
				args = append(args, e)
			}
			r := process{args: args, dir: work, mayFail: true}.run(t)
			if r.code != 0 {
				t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}

// On a root that is read-only a mount serves, with one warning for what it cannot cache,
// and what has to write says where it cannot.
func TestAReadOnlyRoot(t *testing.T) {
	needFUSE(t)
	root := bareSite(t)
	prepare := `set -e
		mount --bind "$root" "$root" && mount -t proc proc "$root/proc"
		for device in fuse null; do touch "$root/dev/$device" && mount --bind /dev/$device "$root/dev/$device"; done
		mount -o remount,bind,ro "$root"
		set +e
		`
	cache := "IMGEXPORTFS_CACHE_DIR=/var/cache/imgexportfs"
	r := inside(t, root, prepare+`
		chroot "$root" /imgexportfs mount --daemon --log-file /proc/self/fd/2 /mnt || exit 9
		gzip -t "$root/mnt/foo.tgz" || exit 8
		exec chroot "$root" /imgexportfs umount /mnt`, cache)
	if r.code != 0 {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	for command, says := range map[string]string{
		"export foo /out/":                    "/out: read-only file system",
		"export foo bar /out/":                "/out: read-only file system",
		"export --cache-dir= foo /out/x.tgz":  "/out: read-only file system",
		"dump /out":                           "/out: read-only file system",
		"mount --log-file /out/log /mnt":      "/out/log: read-only file system",
		"mount --daemon --log-file /log /mnt": "/log: read-only file system",
	} {
		r := inside(t, root, prepare+`exec chroot "$root" /imgexportfs `+command, cache)
		want := map[bool]int{true: 4, false: 5}[strings.HasPrefix(command, "mount")]
		expectCode(t, r, want)
		expectContains(t, "the error of "+command, r.stderr, says)
	}
}
