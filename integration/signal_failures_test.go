package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// A mount that a signal ends, and that cannot be taken away, is a failure like any
// other: systemd and scripts must not take it for a normal end.
func TestFailedUnmountAfterASignalIsReported(t *testing.T) {
	needFUSE(t)
	site := smallSite(t, 1000)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		m := startServer(t, t.TempDir(), site.Dir(), nil)
		m.waitReady(t)
		// What covers the mount is not ours to take away.
		must(t, unix.Mount("none", m.dir, "tmpfs", 0, ""))
		unmountAtEnd(t, m.dir)
		unmountAtEnd(t, m.dir) // the one below
		m.signal(t, sig)
		if code := m.wait(t); code != 4 {
			t.Errorf("%v: exit code %d, want 4", sig, code)
		}
		expectContains(t, "the error", m.log.String(), "Error: ", m.dir+" is not a mount of imgexportfs")
	}
}

// A mount that somebody has taken away at the time of the signal has ended well.
func TestSignalAfterAnUnmountIsNoFailure(t *testing.T) {
	needFUSE(t)
	site := smallSite(t, 1000)
	m := startServer(t, t.TempDir(), site.Dir(), nil)
	m.waitReady(t)
	f, err := os.Open(m.path("bar.tgz")) // keeps the server
	must(t, err)
	defer func() { _ = f.Close() }()
	must(t, unix.Unmount(m.dir, unix.MNT_DETACH))
	m.signal(t, syscall.SIGTERM)
	if code := m.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, m.log)
	}
}

// pipedServer starts a server whose output goes to a pipe.
func pipedServer(t *testing.T, site *xcatsite.Site, redirect string, flags ...string) (m *mount, reader *os.File) {
	t.Helper()
	needFUSE(t)
	reader, writer, err := os.Pipe()
	must(t, err)
	dir := t.TempDir()
	args := append([]string{"-c", `exec "$@" ` + redirect, "sh", programFile, "mount", "--root", site.Dir()}, flags...)
	m = &mount{dir: dir, log: &syncBuffer{}, done: make(chan struct{})}
	m.cmd = exec.Command("sh", append(args, dir)...)
	m.cmd.Env = surroundings()
	m.cmd.Stdout, m.cmd.Stderr = writer, writer
	must(t, m.cmd.Start())
	must(t, writer.Close())
	go func() {
		defer close(m.done)
		_ = m.cmd.Wait()
	}()
	t.Cleanup(func() { m.stop(t) })
	eventually(t, "the mount is there", func() bool {
		fstype, err := mountedOn(dir)
		return err == nil && fstype != ""
	})
	return m, reader
}

// A reader of the log that ends, as head does, does not end the mount.
func TestMountOutlivesTheReaderOfItsLog(t *testing.T) {
	for name, redirect := range map[string]string{
		"broken pipe":   "",
		"both closed":   ">&- 2>&-",
		"all closed":    "<&- >&- 2>&-",
		"stderr closed": "2>&-",
	} {
		t.Run(name, func(t *testing.T) {
			site := smallSite(t, 1000)
			m, reader := pipedServer(t, site, redirect, "--debug") // logs every request
			must(t, reader.Close())
			for range 3 {
				expectContains(t, "ls", run(t, "ls", m.dir), "foo.tgz")
				time.Sleep(50 * time.Millisecond)
			}
			run(t, "cat", m.path("foo.tgz"))
			if name == "broken pipe" {
				expectContains(t, "the mount's own log", run(t, "ls", "-a", m.path(".imgexportfs")), "log")
			}
		})
	}
}

// An export whose messages nobody reads is written all the same, or leaves nothing.
func TestExportOutlivesTheReaderOfItsMessages(t *testing.T) {
	site := smallSite(t, 1<<20)
	must(t, site.Exec("linuximage", `UPDATE linuximage SET otherpkglist = '/gone' WHERE imagename = 'bar'`))
	for _, redirect := range []string{">&- 2>&-", "2>&1 | true", "2>&1 | { sleep 0.1; true; }"} {
		work := t.TempDir()
		r := process{args: []string{"bash", "-c", `set -o pipefail; "$@" ` + redirect, "bash",
			programFile, "export", "--root", site.Dir(), "-v", "bar"}, dir: work, mayFail: true}.run(t)
		if r.code > 1 {
			t.Errorf("%s: exit code %d: %s", redirect, r.code, r.stderr)
		}
		expectText(t, "files", strings.Join(listing(t, work), " "), "bar.tgz")
		mustReadTarball(t, filepath.Join(work, "bar.tgz"))
	}
}
