package source

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pretend makes the root believe that an imgexportfs, or another FUSE file system,
// is mounted at a path of the host. What other programs mount is not seen any more.
func pretend(t *testing.T, root *Root, mounted string, own bool) {
	t.Helper()
	m := root.paths.mounts
	m.mu.Lock()
	defer m.mu.Unlock()
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Dup3(null, m.table, unix.O_CLOEXEC), unix.Close(null)); err != nil {
		t.Fatal(err)
	}
	m.turn++
	m.fuse[mounted] = true
	if own {
		m.own[mounted] = true
	}
}

// bothRoots are "/" and dir, with the path of dir below each.
func bothRoots(t *testing.T, dir string) map[*Root]string {
	t.Helper()
	return map[*Root]string{siteRoot(t, "/"): dir, siteRoot(t, dir): ""}
}

func TestNoPathLeadsIntoAMountOfImgexportfs(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/mnt/images/foo/kernel", nil)
	writeFile(t, dir+"/install/real", nil)
	for link, target := range map[string]string{
		"to-kernel": "../mnt/images/foo/kernel",
		"to-mount":  "../mnt/images",
		"to-mnt":    "../mnt/",
		"chain":     "to-mount/foo",
		"up":        "../install/../mnt/images/foo",
	} {
		if err := os.Symlink(target, dir+"/install/"+link); err != nil {
			t.Fatal(err)
		}
	}
	for root, top := range bothRoots(t, dir) {
		pretend(t, root, dir+"/mnt/images", true)
		for _, name := range []string{
			"/mnt/images", "/mnt/images/", "/mnt/images/foo/kernel", "/mnt//./images/foo", "/mnt/x/../images/foo", "/install/../mnt/images/foo",
			"/install/to-kernel", "/install/to-mount", "/install/to-mount/foo/kernel", "/install/to-mnt/images/foo", "/install/chain/kernel", "/install/up/kernel",
		} {
			if strings.Contains(name, "/x/") {
				writeFile(t, dir+"/mnt/x/y", nil)
			}
			name = top + name
			_, err1 := root.Stat(name)
			_, err2 := root.Open(name)
			_, err3 := root.ReadDir(name + "/")
			_, err4 := root.RealPath(name)
			for i, err := range []error{err1, err2, err3, err4} {
				var own OwnMountError
				if !errors.As(err, &own) || own.Mount != dir+"/mnt/images" {
					t.Errorf("root %s: call %d of %s gives %v", root.Dir(), i, name, err)
				}
			}
		}
		for _, name := range []string{"/mnt", "/install/real", "/install/to-mnt"} {
			if _, err := root.Stat(top + name); err != nil {
				t.Errorf("root %s: %v", root.Dir(), err)
			}
		}
		if st, err := root.Lstat(top + "/install/to-mount"); err != nil || !st.IsSymlink() {
			t.Errorf("a link into a mount, itself: %+v, %v", st, err)
		}
		if target, err := root.Readlink(top + "/install/to-mount"); err != nil || target != "../mnt/images" {
			t.Errorf("its target: %q, %v", target, err)
		}
	}
}

func TestPathsLeadWhereTheKernelSays(t *testing.T) {
	r := seeded(t)
	dir := t.TempDir()
	names := []string{"a", "b", "c"}
	randomPath := func() string {
		parts := make([]string, 1+r.IntN(4))
		for i := range parts {
			parts[i] = append([]string{"..", ".", "", "missing"}, append(names, names...)...)[r.IntN(10)]
		}
		return strings.Join(parts, "/")
	}
	var grow func(at string, depth int)
	grow = func(at string, depth int) {
		for _, base := range names {
			path := at + "/" + base
			switch kind := r.IntN(5); {
			case kind < 2 && depth > 0:
				if err := os.Mkdir(path, 0o755); err != nil {
					t.Fatal(err)
				}
				grow(path, depth-1)
			case kind == 2:
				writeFile(t, path, nil)
			default:
				target := randomPath()
				if target == "" || r.IntN(3) == 0 {
					target = dir + "/" + target
				}
				if err := os.Symlink(target, path); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	grow(dir, 4)
	root := siteRoot(t, "/")
	for range 2000 {
		name := dir + "/" + randomPath()
		if r.IntN(2) == 0 {
			name = strings.ReplaceAll(name, "missing", "a")
		}
		for _, follow := range []bool{true, false} {
			var raw unix.Stat_t
			flags := 0
			look := root.Stat
			if !follow {
				flags, look = unix.AT_SYMLINK_NOFOLLOW, root.Lstat
			}
			want := unix.Fstatat(unix.AT_FDCWD, name, &raw, flags)
			st, err := look(name)
			if !errors.Is(err, want) || err == nil && (st.Ino != raw.Ino || st.Mode != raw.Mode) {
				t.Fatalf("%s, follow %v: inode %d, %v; the kernel says %d, %v", name, follow, st.Ino, err, raw.Ino, want)
			}
		}
	}
}

func TestADirectoryThatBecomesALinkIsSeenSoon(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/one/file", []byte("1"))
	writeFile(t, dir+"/two/file", []byte("22"))
	root := siteRoot(t, "/")
	if st, err := root.Stat(dir + "/one/file"); err != nil || st.Size != 1 {
		t.Fatal(st, err)
	}
	if err := errors.Join(os.Rename(dir+"/one", dir+"/old"), os.Symlink("two", dir+"/one")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * dirsAge); ; time.Sleep(10 * time.Millisecond) {
		if st, err := root.Stat(dir + "/one/file"); err == nil && st.Size == 2 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the old directory is still seen")
		}
	}
}

func TestAWalkLeavesFUSEMountsOut(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/image/rootimg/mnt/inside", nil)
	writeFile(t, dir+"/image/rootimg/etc/hosts", nil)
	if err := os.Symlink("image", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	for root, top := range bothRoots(t, dir) {
		pretend(t, root, dir+"/image/rootimg/mnt", rand.IntN(2) == 0)
		for _, image := range []string{"/image", "/link"} {
			nodes, findings, err := Walk(context.Background(), root, top+image, "rootimg")
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, n := range nodes {
				names = append(names, n.Name)
			}
			if got := strings.Join(names, " "); got != "rootimg rootimg/etc rootimg/etc/hosts rootimg/mnt" {
				t.Errorf("files %s", got)
			}
			if len(findings) != 1 || !strings.HasPrefix(findings[0], "rootimg/mnt is left empty: a FUSE file system") {
				t.Errorf("findings %q", findings)
			}
		}
	}
}

func TestARootInsideOfAMountIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/images/foo", 0o755); err != nil {
		t.Fatal(err)
	}
	root := siteRoot(t, dir+"/images/foo")
	pretend(t, root, dir+"/images", true)
	var own OwnMountError
	if err := root.paths.within(); !errors.As(err, &own) {
		t.Errorf("%v", err)
	}
}

func TestCallsThatDoNotReturnAreNamed(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	end := root.calls.begin("/install/hangs")
	time.Sleep(20 * time.Millisecond)
	if _, err := root.Stat("/"); err != nil {
		t.Fatal(err)
	}
	if stuck := root.Stuck(10 * time.Millisecond); len(stuck) != 1 || stuck[0].Path != "/install/hangs" {
		t.Errorf("stuck: %+v", stuck)
	}
	end()
	if stuck := root.Stuck(0); len(stuck) != 0 {
		t.Errorf("then still: %+v", stuck)
	}
}

func BenchmarkStat(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	for _, top := range []string{"/", dir} {
		root, err := OpenRoot(top)
		if err != nil {
			b.Fatal(err)
		}
		name := path
		if top != "/" {
			name = "/file"
		}
		b.Run(map[bool]string{true: "all", false: "confined"}[top == "/"], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := root.Stat(name); err != nil {
					b.Fatal(err)
				}
			}
		})
		_ = root.Close()
	}
}
