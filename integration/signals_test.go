package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/faultfs"
	"imgexportfs/integration/xcatsite"
)

// sleeperScript opens a file with one system call after it has given a signal
// a handler, with SA_RESTART or without, and says how the call ended. Python's
// own open would try again after EINTR.
const sleeperScript = `
import ctypes, os, signal, sys
number, restart, path = int(sys.argv[1]), sys.argv[2] == "restart", sys.argv[3]
signal.signal(number, lambda *_: None)
signal.siginterrupt(number, not restart)
libc = ctypes.CDLL(None, use_errno=True)
print("ready", flush=True)
fd = libc.open(path.encode(), os.O_RDONLY)
print("opened" if fd >= 0 else os.strerror(ctypes.get_errno()), flush=True)
`

// waiter is a child that waits for a size that is being found.
type waiter struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	ended chan struct{}
}

func startWaiter(t *testing.T, args ...string) *waiter {
	t.Helper()
	return startWaiterIn(t, process{args: args})
}

// startWaiterIn is startWaiter for a child in a directory of its own.
func startWaiterIn(t *testing.T, p process) *waiter {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	w := &waiter{cmd: p.command(ctx), ended: make(chan struct{})}
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.out
	must(t, w.cmd.Start())
	go func() {
		defer close(w.ended)
		_ = w.cmd.Wait() // the state says how it ended
	}()
	return w
}

// inSystemCall waits until the child sleeps in a request to the mount.
func (w *waiter) inSystemCall(t *testing.T) {
	t.Helper()
	eventually(t, fmt.Sprintf("%q waits for the server", w.cmd.Args[0]), func() bool {
		select {
		case <-w.ended:
			t.Fatalf("%q has ended: %q", w.cmd.Args, w.out.String())
		default:
		}
		wchan, err := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", w.cmd.Process.Pid))
		stack, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stack", w.cmd.Process.Pid))
		return err == nil && (strings.Contains(string(wchan)+string(stack), "request_wait_answer"))
	})
}

// signal sends a signal to a child that still waits.
func (w *waiter) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	select {
	case <-w.ended:
		t.Errorf("%q has ended before %v: %q", w.cmd.Args[0], sig, w.out.String())
		return
	default:
	}
	must(t, w.cmd.Process.Signal(sig))
}

// wait returns when the child has ended.
func (w *waiter) wait() error {
	<-w.ended
	return nil
}

// A process that waits for a size, and gets a signal that is not meant to end
// it, waits on and gets the size. A signal that is meant to end it does so at
// once. Each process waits for a bundle of its own, because the kernel lets only
// the first one that looks up a name be interrupted; the bundles hold the same
// file, so that it is compressed once. Its server is slow until the signals are sent.
func TestOnlySignalsThatEndTheCallerEndAWait(t *testing.T) {
	needTools(t, "python3")
	site := misbehaving(t, slowSite(t))
	site.Set(faultfs.On(faultfs.Read, "/", faultfs.Fault{Delay: 25 * time.Millisecond}))
	for i := range 20 {
		must(t, site.AddImage(fmt.Sprintf("slow%02d", i), "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil))
	}
	m := mountSiteEnv(t, site.Dir(), slowlyEnv, "--level", "1", "--memory", "32MiB")
	images := 0
	bundle := func() string {
		images++
		return m.path(fmt.Sprintf("slow%02d.tgz", images-1))
	}
	handled := func(s syscall.Signal, how string) []string {
		return []string{"python3", "-c", sleeperScript, fmt.Sprint(int(s)), how, bundle()}
	}
	harmless := []struct {
		name    string
		args    []string
		signals []syscall.Signal
	}{
		{"stat that is stopped by ^Z", []string{"stat", "-c", "opened", bundle()}, []syscall.Signal{syscall.SIGTSTP, syscall.SIGCONT}},
		{"stat that is stopped", []string{"stat", "-c", "opened", bundle()}, []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT}},
		{"head that is stopped by ^Z", []string{"head", "-c", "1", bundle()}, []syscall.Signal{syscall.SIGTSTP, syscall.SIGCONT}},
		{"SIGWINCH", handled(syscall.SIGWINCH, "restart"), []syscall.Signal{syscall.SIGWINCH}},
		{"SIGWINCH without restart", handled(syscall.SIGWINCH, "no"), []syscall.Signal{syscall.SIGWINCH}},
		{"SIGCHLD", handled(syscall.SIGCHLD, "restart"), []syscall.Signal{syscall.SIGCHLD}},
		{"SIGURG", handled(syscall.SIGURG, "restart"), []syscall.Signal{syscall.SIGURG, syscall.SIGURG, syscall.SIGURG}},
		{"SIGURG without restart", handled(syscall.SIGURG, "no"), []syscall.Signal{syscall.SIGURG}},
		{"SIGALRM", handled(syscall.SIGALRM, "restart"), []syscall.Signal{syscall.SIGALRM}},
	}
	ending := []struct {
		name    string
		args    []string
		stopped bool // by ^Z, and continued, before the signal
		signal  syscall.Signal
	}{
		{"SIGINT", []string{"stat", bundle()}, false, syscall.SIGINT},
		{"SIGTERM", []string{"stat", bundle()}, false, syscall.SIGTERM},
		{"SIGHUP", []string{"cat", bundle()}, false, syscall.SIGHUP},
		{"SIGKILL", []string{"stat", bundle()}, false, syscall.SIGKILL},
		{"SIGINT with a handler", handled(syscall.SIGINT, "no"), false, syscall.SIGINT},
		{"SIGINT after stopping", []string{"stat", bundle()}, true, syscall.SIGINT},
		{"SIGINT with a handler after stopping", handled(syscall.SIGINT, "no"), true, syscall.SIGINT},
	}
	var waiters []*waiter
	for _, c := range harmless {
		waiters = append(waiters, startWaiter(t, c.args...))
	}
	var ended []*waiter
	for _, c := range ending {
		ended = append(ended, startWaiter(t, c.args...))
	}
	for _, w := range append(waiters[:len(waiters):len(waiters)], ended...) {
		w.inSystemCall(t)
	}
	for round := range 3 {
		for i, c := range harmless {
			if round < len(c.signals) {
				waiters[i].signal(t, c.signals[round])
			}
		}
		for i, c := range ending {
			if c.stopped && round < 2 {
				ended[i].signal(t, []syscall.Signal{syscall.SIGTSTP, syscall.SIGCONT}[round])
			}
		}
		time.Sleep(100 * time.Millisecond) // a stop is to be seen before the continuation
	}
	for i, c := range ending {
		t.Run(c.name, func(t *testing.T) {
			sent := time.Now()
			ended[i].signal(t, c.signal)
			<-ended[i].ended
			took := time.Since(sent)
			t.Logf("ended after %v: %q", took, ended[i].out.String())
			if took > time.Second {
				t.Errorf("%q ended %v after the signal", c.args[0], took)
			}
			if code, handler := exitCode(ended[i].cmd.ProcessState), c.args[0] == "python3"; !handler && code != 128+int(c.signal) {
				t.Errorf("%q ended with code %d and %q, not by the signal", c.args[0], code, ended[i].out.String())
			} else if handler && !strings.Contains(ended[i].out.String(), "Interrupted system call") {
				t.Errorf("%q says %q, want that it was interrupted", c.args[0], ended[i].out.String())
			}
		})
	}
	site.Set(nil)
	for i, c := range harmless {
		t.Run(c.name, func(t *testing.T) {
			<-waiters[i].ended
			out := waiters[i].out.String()
			if code := exitCode(waiters[i].cmd.ProcessState); code != 0 || strings.Contains(out, "Interrupted") {
				t.Errorf("exit code %d: %q", code, out)
			}
		})
	}
}
