package integration

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The user that the tests make on each server for the program: it may SELECT
// and nothing else. The password has what a cfgloc could trip over.
const (
	readerName     = "xcatadm"
	readerPassword = "s3cret;pass:word='x"
)

// dbServer is a private database server of the tests.
type dbServer interface {
	name() string
	// start starts the server on its directory, stop ends it in good order,
	// and kill as a power failure does.
	start(t *testing.T)
	stop(t *testing.T)
	kill(t *testing.T)

	// create makes a database, and drops it with the test.
	create(t *testing.T, database string)
	// exec runs a statement as the owner of the database; arguments are bytes
	// as they shall be stored, nil is NULL.
	exec(t *testing.T, database, statement string, args ...[]byte)
	quote(identifier string) string
	mark(n int) string // the nth argument of a statement
	// grant lets the reader read a table, or all of them with ""; revoke
	// takes that back.
	grant(t *testing.T, database, table string)
	revoke(t *testing.T, database, table string)
	// disconnect ends all connections of the reader.
	disconnect(t *testing.T)
	// exhaust takes all connections that the reader can have, and lock a
	// table, until the function returned is called.
	exhaust(t *testing.T, database string) (release func())
	lock(t *testing.T, database, table string) (release func())
	// requireTLS has the server refuse the reader without TLS.
	requireTLS(t *testing.T, required bool)
	// pause stops the server's processes without ending them.
	pause(t *testing.T)
	resume(t *testing.T)

	// cfgloc names the database as xCAT's file cfgloc does, with the reader's
	// password, over TCP; socket is the same over a Unix socket.
	cfgloc(database string) string
	socket(database string) string
	address() string // host:port
}

// needDB skips the test, or fails it when the runner promised servers.
func needDB(t *testing.T, ok bool, reason string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("IMGEXPORTFS_REQUIRE_DB") == "1" {
		t.Fatalf("%s, and IMGEXPORTFS_REQUIRE_DB=1 forbids to skip", reason)
	}
	t.Skip(reason)
}

// findProgram looks on PATH and in the places of the patterns.
func findProgram(name string, patterns ...string) string {
	if file, err := exec.LookPath(name); err == nil {
		return file
	}
	for _, pattern := range patterns {
		if files, err := filepath.Glob(filepath.Join(pattern, name)); err == nil && len(files) > 0 {
			return files[len(files)-1]
		}
	}
	return ""
}

// freePort returns a port of the loopback interface that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// daemon is a server process. It dies with the test process, however that
// ends.
type daemon struct {
	args []string
	as   *syscall.Credential
	cmd  *exec.Cmd
	log  *bytes.Buffer // to be read only after done is closed
	done chan struct{}
}

func (d *daemon) launch(t *testing.T) {
	t.Helper()
	d.cmd = exec.Command(d.args[0], d.args[1:]...)
	d.log, d.done = &bytes.Buffer{}, make(chan struct{})
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.cmd.Dir = "/"
	d.cmd.Env = append(surroundings(), "LC_ALL=C")
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: d.as, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ties Pdeathsig to the thread
		err := d.cmd.Start()
		started <- err
		if err == nil {
			_ = d.cmd.Wait() // how it ends is seen by who ends it
			close(d.done)
		}
	}()
	must(t, <-started)
}

// await polls until ready says that the server answers.
func (d *daemon) await(t *testing.T, ready func() error) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		err := ready()
		if err == nil {
			return
		}
		select {
		case <-d.done:
			t.Fatalf("%s ended: %s", d.args[0], clip(d.log.String()))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v", d.args[0], err)
		}
	}
}

// end sends a signal and waits for the end.
func (d *daemon) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(signal) // it may have ended already
	select {
	case <-d.done:
	case <-time.After(60 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.done
		t.Errorf("%s does not end after %v: %s", d.args[0], signal, clip(d.log.String()))
	}
	d.cmd = nil
}

// pause stops the process and its children, as a host that has lost its power
// stops: connections stay, and nothing answers. resume lets them go on.
func (d *daemon) pause(t *testing.T) {
	t.Helper()
	d.signalAll(t, syscall.SIGSTOP)
	t.Cleanup(func() {
		if d.cmd != nil {
			d.signalAll(t, syscall.SIGCONT)
		}
	})
}

func (d *daemon) resume(t *testing.T) {
	t.Helper()
	d.signalAll(t, syscall.SIGCONT)
}

func (d *daemon) signalAll(t *testing.T, signal syscall.Signal) {
	t.Helper()
	pid := d.cmd.Process.Pid
	must(t, syscall.Kill(pid, signal)) // first, so that it gets no more children
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	must(t, err)
	for _, field := range strings.Fields(string(list)) {
		child, err := strconv.Atoi(field)
		must(t, err)
		_ = syscall.Kill(child, signal) // it may have ended
	}
}

// install runs what makes a server's directory.
func install(t *testing.T, as *syscall.Credential, args ...string) {
	t.Helper()
	process{args: args, dir: "/", as: as, limit: 2 * time.Minute}.run(t)
}

// running starts a server and sees to its end.
func running(t *testing.T, s dbServer) dbServer {
	t.Helper()
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	return s
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
