package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzRoot holds paths to this: with any links in the tree a path leads to the file to
// which the kernel's own resolution below the root leads, or to none as there; what is
// opened is a regular file; and the path that libraries are given stays below the root.
func FuzzRoot(f *testing.F) {
	for _, s := range [][3]string{
		{"/etc/real", "x", "x"}, {"/l1", "/etc/real", "l1"}, {"l1/real", "etc", ".."}, {"/d/l2/../etc/real", "/", "../../.."}, {"/l1", "d/l2", "/l1"}, {"//etc//real/", "a", "b"},
		{"/l1/x", "etc/real", "."}, {"../../secret", "../../secret", "/proc/self/root"}, {"/d/l2/l2/l2", "x", "."}, {"/l1/../..", "d", "l2"}, {"", "x", ""}, {"/etc/real/.", "etc/real/", "x"}, {"/fifo", "fifo", "/dev/null"}, {"l1", strings.Repeat("d/../", 500) + "etc/real", "x"}, {"/etc/\x00real", "x", "x"}, {"\xff", "\xff", "/l1/\xff"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	outer := f.TempDir()
	dir := filepath.Join(outer, "site")
	for _, name := range []string{outer + "/secret", dir + "/etc/real", dir + "/d/file"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("x"), 0o644)); err != nil {
			f.Fatal(err)
		}
	}
	if err := unix.Mkfifo(dir+"/fifo", 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, target1, target2 string) {
		for link, target := range map[string]string{dir + "/l1": target1, dir + "/d/l2": target2} {
			_ = os.Remove(link) // there may be none
			_ = os.Symlink(target, link)
		}
		root := siteRoot(t, dir) // anew, because it remembers where directories lead
		for _, follow := range []bool{true, false} {
			expectAsKernel(t, root, name, follow)
		}
		if real, err := root.RealPath(name); err == nil && real != dir && !strings.HasPrefix(real, dir+"/") {
			t.Errorf("%q with the links %q and %q leads to %s", name, target1, target2, real)
		}
		if file, err := root.Open(name); err == nil {
			if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
				t.Errorf("%q is opened as %v, %v", name, info, err)
			}
			_ = file.Close()
		}
	})
}

// expectAsKernel compares a look at a path with that of openat2(2).
func expectAsKernel(t *testing.T, root *Root, name string, follow bool) {
	t.Helper()
	look, flags := root.Stat, unix.O_PATH|unix.O_CLOEXEC
	if !follow {
		look, flags = root.Lstat, flags|unix.O_NOFOLLOW
	}
	got, err := look(name)
	var want unix.Stat_t
	wantErr := error(unix.EINVAL)
	if !strings.Contains(name, "\x00") {
		how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
		var fd int
		if fd, wantErr = unix.Openat2(root.fd, "/"+name, &how); wantErr == nil {
			wantErr = errors.Join(unix.Fstat(fd, &want), unix.Close(fd))
		}
	}
	if (err == nil) != (wantErr == nil) || err == nil && got.Ino != want.Ino {
		t.Errorf("%q (links followed: %v) is %+v, %v; the kernel says inode %d, %v", name, follow, got, err, want.Ino, wantErr)
	}
}
