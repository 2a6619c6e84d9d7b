package integration

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// remoteHost is an sshd on loopback with keys of its own, which an export reaches under
// the name root@mn2. Every session runs a script of the test in the directory home.
type remoteHost struct {
	home   string
	script string   // file of the script
	path   []string // "PATH=...", for the program: with an ssh that knows the host
}

// serves is the script of a host that does what it is asked to.
const serves = `exec sh -c "$SSH_ORIGINAL_COMMAND"`

// startRemoteHost starts a host that serves.
func startRemoteHost(t *testing.T) *remoteHost {
	t.Helper()
	needRoot(t) // sshd runs sessions as the caller
	needTools(t, "ssh", "ssh-keygen")
	daemon := sshdFile(t)
	dir := t.TempDir()
	h := &remoteHost{home: emptyDir(t, "home"), script: filepath.Join(dir, "script")}
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range []string{"host", "other", "user"} {
		run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file(key))
	}
	port := freePort(t)
	must(t, os.WriteFile(file("sshd_config"), fmt.Appendf(nil, `
ListenAddress 127.0.0.1:%d
HostKey %s
PidFile none
AuthorizedKeysFile %s
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv HOME=%s
Subsystem sftp /usr/lib/openssh/sftp-server
UseDNS no
ForceCommand /bin/sh %s
`, port, file("host"), file("user.pub"), h.home, h.script), 0o600))
	h.does(t, serves)
	h.start(t, daemon, file("sshd_config"), port)
	h.introduce(t, dir, port)
	return h
}

// sshdFile is the program, which insists on an absolute path, and makes the directory
// for which it asks.
func sshdFile(t *testing.T) string {
	t.Helper()
	const sshd = "/usr/sbin/sshd"
	_, err := os.Stat(sshd)
	need(t, err == nil, "needs the program sshd")
	makeSeparation()
	return sshd
}

// separation is the directory in which each sshd of the host locks up its part that speaks
// with strangers. Tests that run beside each other share it, so it stays until all have
// ended.
const separation = "/run/sshd"

var separationIsOurs bool // set by makeSeparation, for removeSeparation

var makeSeparation = sync.OnceFunc(func() { separationIsOurs = os.Mkdir(separation, 0o755) == nil })

// removeSeparation is for TestMain.
func removeSeparation() {
	if separationIsOurs {
		_ = os.Remove(separation)
	}
}

// start runs sshd until the test ends, with all of its sessions.
func (h *remoteHost) start(t *testing.T, daemon, config string, port int) {
	t.Helper()
	log := &syncBuffer{}
	cmd := exec.Command(daemon, "-D", "-e", "-f", config)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd: %s", log)
		}
	})
	eventually(t, "sshd answers", func() bool {
		c, err := net.DialTimeout("tcp", fmt.Sprint("127.0.0.1:", port), time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// introduce makes an ssh that knows the host as mn2, and three hosts that fail. It gives
// up sooner than the program asks it to, but only if the program asks.
func (h *remoteHost) introduce(t *testing.T, dir string, port int) {
	t.Helper()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	must(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	for known, key := range map[string]string{"known": "host.pub", "wrong": "other.pub"} {
		text, err := os.ReadFile(filepath.Join(dir, key))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, known), append([]byte("mn2 "), text...), 0o600))
	}
	config := "LogLevel INFO\nUser root\nHostName 127.0.0.1\nHostKeyAlias mn2\nIdentitiesOnly yes\nGlobalKnownHostsFile none\n" +
		"StrictHostKeyChecking yes\nIdentityFile " + dir + "/user\n" +
		fmt.Sprintf("Match host 127.0.0.1 originalhost silent\nPort %d\n", silent.Addr().(*net.TCPAddr).Port) +
		fmt.Sprintf("Match host 127.0.0.1 originalhost closed\nPort %d\n", freePort(t)) +
		fmt.Sprintf("Match originalhost stranger\nUserKnownHostsFile %s/wrong\n", dir) +
		fmt.Sprintf("Match all\nPort %d\nUserKnownHostsFile %s/known\n", port, dir)
	must(t, os.WriteFile(filepath.Join(dir, "ssh_config"), []byte(config), 0o600))
	real, err := exec.LookPath("ssh")
	must(t, err)
	must(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "bin/ssh"), []byte(`#!/bin/bash
arguments=("${@/#ConnectTimeout=30/ConnectTimeout=1}")
exec `+real+` -F '`+dir+`/ssh_config' "${arguments[@]/#ServerAliveInterval=15/ServerAliveInterval=1}"
`), 0o755))
	h.path = []string{"PATH=" + dir + "/bin:" + os.Getenv("PATH")}
}

// does gives later sessions another script.
func (h *remoteHost) does(t *testing.T, script string) {
	t.Helper()
	must(t, os.WriteFile(h.script, []byte("cd '"+h.home+"' || exit 98\n"+script+"\n"), 0o600))
}

// export runs an export of the image bar to a path on a host.
func (h *remoteHost) export(t *testing.T, root, work, host, path string) result {
	t.Helper()
	return process{
		args: []string{programFile, "export", "--root", root, "-R", host, "--", "bar", path},
		dir:  work, env: h.path, mayFail: true,
	}.run(t)
}

// startExport starts one and returns a way to wait for its end.
func (h *remoteHost) startExport(t *testing.T, root, work, host, path string) (cmd *exec.Cmd, ended chan struct{}) {
	t.Helper()
	cmd = process{
		args: []string{programFile, "export", "--root", root, "-R", host, "--", "bar", path}, dir: work, env: h.path,
	}.command(context.Background())
	must(t, cmd.Start())
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // the state says how it ended
	}()
	return cmd, ended
}

// files are the names in home, with kinds and modes.
func (h *remoteHost) files(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(shell(t, h.home, `find . -ignore_readdir_race -mindepth 1 -printf '%P %y %m\n' | sort`))
}
