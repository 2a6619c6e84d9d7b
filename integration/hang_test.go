package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

func init() { helpers["loopback"] = helperLoopback }

// helperLoopback DIR MOUNT shows DIR on MOUNT until it is killed. Nothing is cached,
// so that each look is a request to it.
func helperLoopback(args []string) error {
	root, err := gofs.NewLoopbackRoot(args[0])
	if err != nil {
		return err
	}
	zero := time.Duration(0)
	server, err := gofs.Mount(args[1], root, &gofs.Options{
		AttrTimeout: &zero, EntryTimeout: &zero,
		MountOptions: fuse.MountOptions{DirectMount: true, FsName: "loopback", Name: "loopback"},
	})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	server.Wait()
	return nil
}

// fileServer is a file system that can be stopped: from then on it answers nothing,
// as a file server that is gone.
type fileServer struct{ cmd *exec.Cmd }

// serveFiles moves what is in dir to a file system that is mounted on dir.
func serveFiles(t *testing.T, dir string) *fileServer {
	t.Helper()
	needFUSE(t)
	behind := dir + ".behind"
	must(t, os.Rename(dir, behind))
	must(t, os.Mkdir(dir, 0o755))
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self, behind, dir)
	cmd.Env = append(surroundings(), helperVariable+"=loopback")
	said := &syncBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	must(t, cmd.Start())
	s := &fileServer{cmd}
	t.Cleanup(func() { s.end(t, dir) })
	for deadline := time.Now().Add(mountPatience); !strings.Contains(said.String(), "ready"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the file server does not come up: %s", said)
		}
	}
	return s
}

// stop returns when each of its threads has stopped: until then one of them may take a
// request, and a process that waits for the answer to a request that was taken cannot even
// be killed.
func (s *fileServer) stop(t *testing.T) {
	t.Helper()
	must(t, s.cmd.Process.Signal(syscall.SIGSTOP))
	eventually(t, "the file server has stopped", func() bool { return hasStopped(s.cmd.Process.Pid) })
}

func hasStopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is right
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		_, state, _ := strings.Cut(string(stat), ") ")
		if err != nil || !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return len(threads) > 0
}

func (s *fileServer) goOn(t *testing.T) {
	t.Helper()
	must(t, s.cmd.Process.Signal(syscall.SIGCONT))
}

// end takes the file system away, also from processes that wait for it.
func (s *fileServer) end(t *testing.T, dir string) {
	t.Helper()
	_ = unix.Unmount(dir, unix.MNT_FORCE)
	_ = unix.Unmount(dir, unix.MNT_DETACH)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Wait()
}

// inTime runs f and fails if it takes longer than limit; f goes on then.
func inTime(t *testing.T, limit time.Duration, what string, f func() error) error {
	t.Helper()
	started, ended := time.Now(), make(chan error, 1)
	go func() { ended <- f() }()
	select {
	case err := <-ended:
		t.Logf("%s: %v, %v", what, time.Since(started).Round(time.Millisecond), err)
		return err
	case <-time.After(limit):
		t.Errorf("%s is not done after %v", what, limit)
		return errors.New("hangs")
	}
}

// hangingSite has three images: one whose template and one whose root tree are on a
// file server of their own, and one that has nothing to do with it.
func hangingSite(t *testing.T) (*xcatsite.Site, *fileServer) {
	t.Helper()
	site := newSite(t)
	must(t, site.WriteFile("/nfs/far.tmpl", 0o644, []byte("far\n")))
	must(t, site.AddStateful("far", nil, xcatsite.Row{"template": "/nfs/far.tmpl"}))
	must(t, site.AddStateful("near", nil, nil))
	must(t, site.AddStatelite("tree", []byte("kernel"), []byte("ramdisk")))
	must(t, os.Rename(site.Path(filepath.Dir(site.TreeDir("tree"))), site.Path("/nfs/tree")))
	must(t, site.Exec("linuximage", "UPDATE linuximage SET rootimgdir='/nfs/tree' WHERE imagename='tree'"))
	must(t, site.WriteFile("/nfs/tree/rootimg/etc/hosts", 0o644, []byte("localhost\n")))
	return site, serveFiles(t, site.Path("/nfs"))
}

// A file server that does not answer costs the images that are on it, and nothing
// else.
func TestSourceThatHangsCostsItsOwnImageOnly(t *testing.T) {
	for _, known := range []bool{true, false} {
		t.Run(fmt.Sprintf("known before %v", known), func(t *testing.T) {
			t.Parallel()
			site, server := hangingSite(t)
			if !known { // the mount must not be quicker
				server.stop(t)
			}
			m := mountSite(t, site.Dir(), "--refresh", "200ms")
			if known {
				for _, name := range []string{"far.tgz", "tree.tgz"} {
					_, err := os.Stat(m.path(name))
					must(t, err)
				}
				time.Sleep(300 * time.Millisecond)
				server.stop(t)
			}
			if err := inTime(t, 5*time.Second, "ls", func() error {
				names, err := os.ReadDir(m.dir)
				for _, want := range []string{"far.tgz", "near.tgz", "tree.tgz"} {
					found := false
					for _, e := range names {
						found = found || e.Name() == want
					}
					if err == nil && !found {
						err = fmt.Errorf("%s is not listed", want)
					}
				}
				return err
			}); err != nil {
				t.Error(err)
			}
			for _, do := range []struct {
				what string
				f    func() error
			}{
				{"cp of another image", func() error { _, err := os.ReadFile(m.path("near.tgz")); return err }},
				{"status.json", func() error { _, err := os.ReadFile(m.path(".imgexportfs", "status.json")); return err }},
			} {
				if err := inTime(t, 3*time.Second, do.what, do.f); err != nil {
					t.Error(err)
				}
			}
			for _, name := range []string{"far.tgz", "tree.tgz"} {
				err := inTime(t, 10*time.Second, "stat "+name, func() error { _, err := os.Stat(m.path(name)); return err })
				if known && err != nil {
					t.Errorf("%s is known, but stat gives %v", name, err)
				}
				if !known && (err == nil || errors.Is(err, os.ErrNotExist)) {
					t.Errorf("%s is not known, but stat gives %v", name, err)
				}
			}
			expectEventually(t, 15*time.Second, "the log names the path that hangs", func() bool {
				return strings.Contains(m.log.String(), "/nfs/far.tmpl") || strings.Contains(m.log.String(), "/nfs/tree")
			})
			server.goOn(t)
			expectEventually(t, 10*time.Second, "the image is right again", func() bool {
				_, err1 := os.ReadFile(m.path("far.tgz"))
				_, err2 := os.ReadFile(m.path("tree.tgz"))
				return err1 == nil && err2 == nil
			})
		})
	}
}

// A file server that is gone before the mount costs the images that are on it, and not
// the mount.
func TestMountBeginsBesideASourceThatHangs(t *testing.T) {
	site, server := hangingSite(t)
	server.stop(t)
	m := startServer(t, t.TempDir(), site.Dir(), nil)
	defer server.goOn(t) // so that a server that hangs can end
	unmountAtEnd(t, m.dir)
	up := fmt.Sprintf(" mounted on %s", m.dir)
	expectEventually(t, 5*time.Second, "mounted", func() bool { return strings.Contains(m.log.String(), up) })
	if t.Failed() {
		_ = m.cmd.Process.Kill()
		return
	}
	if err := inTime(t, 3*time.Second, "cp of another image", func() error { _, err := os.ReadFile(m.path("near.tgz")); return err }); err != nil {
		t.Error(err)
	}
	_ = inTime(t, 3*time.Second, "SIGTERM", func() error {
		m.signal(t, syscall.SIGTERM)
		<-m.done
		return nil
	})
	m.expectUnmounted(t)
}

// umount frees the directory although the server of the mount answers nothing.
func TestUmountNeedsNoServer(t *testing.T) {
	site := newSite(t)
	must(t, site.AddStateful("near", nil, nil))
	m := mountSite(t, site.Dir())
	// A process of its own holds a file open: at its end the kernel asks the server.
	holder := exec.Command("/bin/sh", "-c", `exec 3<"$1"; echo ready; exec sleep 100`, "sh", m.path("near.tgz"))
	said := &syncBuffer{}
	holder.Stdout = said
	must(t, holder.Start())
	expectEventually(t, 5*time.Second, "the file is open", func() bool { return strings.Contains(said.String(), "ready") })
	m.signal(t, syscall.SIGSTOP)
	_ = inTime(t, 3*time.Second, "umount", func() error {
		if r := (process{args: []string{programFile, "umount", m.dir}, mayFail: true}).run(t); r.code != 0 {
			t.Errorf("umount: exit code %d: %s", r.code, r.stderr)
		}
		return nil
	})
	m.expectUnmounted(t)
	m.signal(t, syscall.SIGCONT)
	_ = holder.Process.Kill()
	_ = holder.Wait()
	_ = inTime(t, 5*time.Second, "the server's end", func() error { <-m.done; return nil })
}

// What somebody has mounted over the mount is not unmounted in its place, and the end
// of the program still ends the connection.
func TestMountThatIsCoveredIsNotMistaken(t *testing.T) {
	site := newSite(t)
	must(t, site.AddStateful("near", nil, nil))
	needFUSE(t)
	m := startServer(t, t.TempDir(), site.Dir(), nil)
	m.waitReady(t)
	defer func() { _ = unix.Unmount(m.dir, unix.MNT_DETACH) }()
	must(t, unix.Mount("none", m.dir, "tmpfs", 0, ""))
	defer func() { _ = unix.Unmount(m.dir, unix.MNT_DETACH) }()
	if r := (process{args: []string{programFile, "umount", m.dir}, mayFail: true}).run(t); r.code != 4 {
		t.Errorf("umount of what covers the mount: exit code %d: %s", r.code, r.stderr)
	}
	m.signal(t, syscall.SIGTERM)
	if code := m.wait(t); code == 0 {
		t.Errorf("exit code 0, but the mount is still there: %s", m.log)
	}
	points, err := mountPoints()
	must(t, err)
	covered := slices.ContainsFunc(points, func(p mountPoint) bool { return p.dir == m.dir && p.fstype == "tmpfs" })
	if !covered {
		t.Error("what covered the mount is gone")
	}
}

func TestServerWithASourceThatHangsEnds(t *testing.T) {
	for _, how := range []string{"SIGTERM", "umount"} {
		t.Run(how, func(t *testing.T) {
			site, server := hangingSite(t)
			m := mountSite(t, site.Dir(), "--refresh", "200ms")
			_, err := os.Stat(m.path("far.tgz"))
			must(t, err)
			time.Sleep(300 * time.Millisecond)
			server.stop(t)
			waiting := make(chan struct{})
			go func() {
				defer close(waiting)
				_, _ = os.ReadDir(m.path("far"))
			}()
			time.Sleep(200 * time.Millisecond)
			_ = inTime(t, 5*time.Second, how, func() error {
				if how == "umount" {
					if r := program(t, "", "umount", m.dir); r.code != 0 {
						t.Errorf("umount: exit code %d: %s", r.code, r.stderr)
					}
				} else {
					m.signal(t, syscall.SIGTERM)
				}
				<-m.done
				return nil
			})
			m.expectUnmounted(t)
			_ = inTime(t, 3*time.Second, "the reader", func() error { <-waiting; return nil })
		})
	}
}

// expectEventually waits for a condition.
func expectEventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("not within %v: %s", limit, what)
			return
		}
	}
}
