package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// startDaemon mounts a site in the background on dir, and unmounts it when the test
// ends.
func startDaemon(t *testing.T, dir, root string, flags ...string) result {
	t.Helper()
	needFUSE(t)
	r := program(t, filepath.Dir(dir), append([]string{"mount", filepath.Base(dir), "--daemon", "--root", root}, flags...)...)
	t.Cleanup(func() { program(t, "/", "umount", "--quiet", "--wait", dir) })
	return r
}

// daemonOf returns the process of the program that has a text in its command line, or 0.
func daemonOf(t *testing.T, text string) int {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	for _, dir := range processes {
		line, _ := os.ReadFile(dir + "/cmdline") // of a process that may end meanwhile
		if name, _ := os.ReadFile(dir + "/comm"); string(name) == "imgexportfs\n" && bytes.Contains(line, []byte(text)) {
			pid, err := strconv.Atoi(filepath.Base(dir))
			must(t, err)
			return pid
		}
	}
	return 0
}

// mount --daemon returns when the mount answers. The process in the background is of a
// session of its own and keeps nothing of the caller's, and ends with its mount.
func TestDaemonReturnsWhenTheMountAnswers(t *testing.T) {
	site := smallSite(t, 1000)
	dir := emptyDir(t, "mnt")
	r := startDaemon(t, dir, site.Dir())
	expectCode(t, r, 0)
	expectContains(t, "stdout", r.stdout, "2 images", "mounted on mnt")
	expectLines(t, "files", typesOf(t, dir, "foo.tgz"), []string{"foo.tgz regular file"})
	pid := daemonOf(t, site.Dir())
	if pid == 0 {
		t.Fatal("no process has the site in its command line")
	}
	for link, want := range map[string]string{"cwd": "/", "fd/0": "/dev/null", "fd/1": "/dev/null", "fd/2": "/dev/null"} {
		if got, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, link)); err != nil || got != want {
			t.Errorf("%s of the daemon is %q (%v), want %q", link, got, err, want)
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	if session := strings.Fields(rest)[3]; session != strconv.Itoa(pid) {
		t.Errorf("the session of daemon %d is %s", pid, session)
	}
	expectCode(t, program(t, "/", "umount", dir), 0)
	eventually(t, "the daemon has ended", func() bool { return daemonOf(t, site.Dir()) == 0 })
}

// A daemon that does not come up leaves its words and its exit code to the caller: what
// a mount in the foreground says.
func TestDaemonThatFailsSaysWhyAsInTheForeground(t *testing.T) {
	needFUSE(t)
	site := smallSite(t, 1000)
	dir := emptyDir(t, "mnt")
	must(t, os.WriteFile(dir+"/in the way", nil, 0o600))
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"no site":      {[]string{"mount", "--root", "/nosuch", dir}, 3},
		"not empty":    {[]string{"mount", "--root", site.Dir(), dir}, exitMount},
		"bad option":   {[]string{"mount", "--root", site.Dir(), "-o", "nosuch", dir}, 2},
		"bad level":    {[]string{"mount", "--root", site.Dir(), "--level", "77", dir}, 2},
		"bad log file": {[]string{"mount", "--root", site.Dir(), "--log-file", "/nosuch/log", dir}, exitMount},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := program(t, "/", c.args...), program(t, "/", append(c.args, "--daemon")...)
			expectCode(t, here, c.code)
			expectCode(t, there, c.code)
			expectContains(t, "stderr", there.stderr, "Error: ")
			expectText(t, "stderr", there.stderr, here.stderr)
		})
	}
}

// A hangup ends a mount in the foreground, whose terminal is gone. With a log file, and
// in the background, it does not, and the log goes on in a new file.
func TestHangupOpensTheLogFileAgain(t *testing.T) {
	site := smallSite(t, 1000)
	t.Run("foreground", func(t *testing.T) {
		m := mountSite(t, site.Dir())
		m.signal(t, syscall.SIGHUP)
		if code := m.wait(t); code != 0 {
			t.Errorf("exit code %d: %s", code, m.log)
		}
		m.expectUnmounted(t)
	})
	t.Run("foreground with a log file", func(t *testing.T) {
		log := filepath.Join(t.TempDir(), "log")
		m := mountSite(t, site.Dir(), "--log-file", log, "-o", "rw")
		expectReopened(t, log, m.cmd.Process.Pid)
		listing(t, m.dir)
		expectNot(t, m.log.String(), "read-only")
	})
	t.Run("daemon", func(t *testing.T) {
		dir := emptyDir(t, "mnt")
		log := filepath.Join(filepath.Dir(dir), "log")
		expectCode(t, startDaemon(t, dir, site.Dir(), "--log-file", "log", "-o", "rw"), 0)
		pid := daemonOf(t, site.Dir())
		expectReopened(t, log, pid)
		listing(t, dir)
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/2", pid)); err != nil || to != log {
			t.Errorf("the standard error of the daemon is %q (%v), want %s", to, err, log)
		}
	})
	t.Run("daemon without a log file", func(t *testing.T) {
		dir := emptyDir(t, "mnt")
		expectCode(t, startDaemon(t, dir, site.Dir(), "-o", "rw"), 0)
		must(t, syscall.Kill(daemonOf(t, site.Dir()), syscall.SIGHUP))
		listing(t, dir)
		expectContains(t, "log", run(t, "cat", dir+"/.imgexportfs/log"), "read-only")
	})
}

// expectReopened moves a log that has a line away, and sends a hangup.
func expectReopened(t *testing.T, log string, pid int) {
	t.Helper()
	eventually(t, "the log has a line", func() bool {
		text, _ := os.ReadFile(log)
		return bytes.Contains(text, []byte("read-only"))
	})
	must(t, os.Rename(log, log+".1"))
	must(t, syscall.Kill(pid, syscall.SIGHUP))
	eventually(t, "the log file is there again, and open", func() bool {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, link := range links {
			if to, _ := os.Readlink(link); to == log {
				return true
			}
		}
		return false
	})
}

// A mount whose standard error has no reader any more goes on.
func TestBrokenStandardErrorEndsNoMount(t *testing.T) {
	needFUSE(t)
	site := smallSite(t, 1000)
	m := &mount{dir: t.TempDir(), log: &syncBuffer{}, done: make(chan struct{})}
	read, write, err := os.Pipe()
	must(t, err)
	m.cmd = exec.Command(programFile, "mount", "--debug", "--root", site.Dir(), m.dir)
	m.cmd.Env, m.cmd.Stdout, m.cmd.Stderr = surroundings(), m.log, write
	must(t, read.Close())
	must(t, m.cmd.Start())
	must(t, write.Close())
	go func() {
		defer close(m.done)
		_ = m.cmd.Wait() // the state says how it ended
	}()
	t.Cleanup(func() { m.stop(t) })
	m.waitReady(t)
	expectLines(t, "files", typesOf(t, m.dir, "foo.tgz"), []string{"foo.tgz regular file"})
}
