package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// mount is a running `imgexportfs mount`.
type mount struct {
	dir  string // the mount point
	cmd  *exec.Cmd
	log  *syncBuffer   // what the server wrote to stdout and stderr
	done chan struct{} // closed when the server has ended and cmd.ProcessState is set
}

// How long a server may take to appear and to go.
const (
	mountPatience   = 20 * time.Second
	unmountPatience = 20 * time.Second
)

// mountSite mounts the site below root on a fresh directory; flags stand
// before it. The server is stopped, and looked at, when the test ends.
func mountSite(t *testing.T, root string, flags ...string) *mount {
	t.Helper()
	return mountSiteEnv(t, root, nil, flags...)
}

// mountSiteEnv is mountSite with variables for the server.
func mountSiteEnv(t *testing.T, root string, env []string, flags ...string) *mount {
	t.Helper()
	needFUSE(t)
	m := startServer(t, t.TempDir(), root, env, flags...)
	t.Cleanup(func() { m.stop(t) })
	m.waitReady(t)
	return m
}

// waitReady waits until the kernel knows the mount and the server has said
// that it serves.
func (m *mount) waitReady(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(mountPatience)
	for {
		fstype, err := mountedOn(m.dir)
		if err != nil {
			t.Fatal(err)
		}
		if fstype != "" && strings.Contains(m.log.String(), " mounted on "+m.dir) {
			return
		}
		select {
		case <-m.done:
			t.Fatalf("imgexportfs mount ended with exit code %d: %s", exitCode(m.cmd.ProcessState), m.log)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing is mounted on %s after %v: %s", m.dir, mountPatience, m.log)
		}
	}
}

// startServer starts a server on dir without waiting for the mount.
func startServer(t *testing.T, dir, root string, env []string, flags ...string) *mount {
	t.Helper()
	args := append(append([]string{"mount", "--root", root}, flags...), dir)
	cmd := exec.Command(programFile, args...)
	log := &syncBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(surroundings(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m := &mount{dir: dir, cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		_ = cmd.Wait() // the state says how it ended
	}()
	return m
}

// path is a name on the mount.
func (m *mount) path(names ...string) string {
	return filepath.Join(append([]string{m.dir}, names...)...)
}

// stop ends the server as an administrator does, with SIGTERM, and holds it
// to leaving no mount and exit code 0. Stopping twice is fine.
func (m *mount) stop(t *testing.T) {
	t.Helper()
	select {
	case <-m.done: // the test ended it itself, and has looked at how
		m.expectUnmounted(t)
		return
	default:
	}
	m.signal(t, syscall.SIGTERM)
	if code := m.wait(t); code != 0 {
		t.Errorf("imgexportfs mount: exit code %d after SIGTERM, want 0: %s", code, m.log)
	}
	m.expectUnmounted(t)
}

func (m *mount) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := m.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("signal %v: %v", sig, err)
	}
}

// wait waits for the server to end and returns its exit code.
func (m *mount) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-m.done:
	case <-time.After(unmountPatience):
		m.signal(t, syscall.SIGQUIT) // Go prints where it hangs
		select {
		case <-m.done:
		case <-time.After(5 * time.Second):
			m.signal(t, syscall.SIGKILL)
		}
		detach(t, m.dir)
		t.Fatalf("imgexportfs mount does not end within %v: %s", unmountPatience, m.log)
	}
	return exitCode(m.cmd.ProcessState)
}

func (m *mount) expectUnmounted(t *testing.T) {
	t.Helper()
	fstype, err := mountedOn(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	if fstype != "" {
		detach(t, m.dir)
		t.Errorf("the server has ended and left its mount on %s: %s", m.dir, m.log)
	}
}

// detach removes a mount whatever state its server is in. The force wakes
// who waits for an answer, also a server that waits for its own; only the
// laziness removes a mount that is in use.
func detach(t *testing.T, dir string) {
	t.Helper()
	for _, how := range []string{"-f", "-l"} {
		if out, err := exec.Command("umount", how, dir).CombinedOutput(); err != nil {
			t.Logf("umount %s %s: %v: %s", how, dir, err, out)
		}
	}
}

// syncBuffer is a bytes.Buffer that one goroutine fills while others look.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return clip(b.buf.String())
}

// emptyDir returns a new directory below the test's own.
func emptyDir(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
