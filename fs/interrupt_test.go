package fs

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

func TestOnlySignalsThatEndTheCallerEndAWait(t *testing.T) {
	all := signals(syscall.SIGINT, syscall.SIGTERM, syscall.SIGURG, syscall.SIGWINCH, syscall.SIGCHLD, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGTSTP)
	for name, c := range map[string]struct {
		state signalState
		want  bool
	}{
		"none":                {signalState{}, false},
		"SIGKILL":             {signalState{pending: signals(syscall.SIGKILL), blocked: ^signalSet(0), ignored: ^signalSet(0)}, true},
		"SIGINT":              {signalState{pending: signals(syscall.SIGINT)}, true},
		"SIGINT caught":       {signalState{pending: signals(syscall.SIGINT), caught: all}, true},
		"SIGINT blocked":      {signalState{pending: signals(syscall.SIGINT), blocked: all}, false},
		"SIGINT ignored":      {signalState{pending: signals(syscall.SIGINT), ignored: all}, false},
		"SIGALRM caught":      {signalState{pending: signals(syscall.SIGALRM), caught: all}, false},
		"SIGUSR1":             {signalState{pending: signals(syscall.SIGUSR1)}, true},
		"SIGUSR1 caught":      {signalState{pending: signals(syscall.SIGUSR1), caught: all}, false},
		"real-time signal":    {signalState{pending: 1 << 63}, true},
		"SIGSTOP":             {signalState{pending: signals(syscall.SIGSTOP)}, false},
		"SIGTSTP":             {signalState{pending: signals(syscall.SIGTSTP)}, false},
		"SIGTSTP caught":      {signalState{pending: signals(syscall.SIGTSTP), caught: all}, false},
		"SIGCONT":             {signalState{pending: signals(syscall.SIGCONT)}, false},
		"SIGWINCH":            {signalState{pending: signals(syscall.SIGWINCH)}, false},
		"SIGWINCH caught":     {signalState{pending: signals(syscall.SIGWINCH), caught: all}, false},
		"SIGURG caught":       {signalState{pending: signals(syscall.SIGURG), caught: all}, false},
		"SIGCHLD and SIGTERM": {signalState{pending: signals(syscall.SIGCHLD, syscall.SIGTERM), caught: all}, true},
	} {
		if got := c.state.ending(); got != c.want {
			t.Errorf("%s: ends %v, want %v", name, got, c.want)
		}
	}
}

func TestSignalsAreReadFromTheStatusFile(t *testing.T) {
	status := "Name:\tcp\nPid:\t77\nSigQ:\t1/2\nSigPnd:\t0000000000000002\nShdPnd:\t0000000000004000\nSigBlk:\t0000000000000200\nSigIgn:\t0000000000001000\nSigCgt:\t0000000180000000\nCapInh:\tff\n"
	want := signalState{
		pending: signals(syscall.SIGINT, syscall.SIGTERM), blocked: signals(syscall.SIGUSR1),
		ignored: signals(syscall.SIGPIPE), caught: 0x180000000,
	}
	if got := parseSignals([]byte(status)); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A process that is stopped, or has a harmless signal pending, goes on; one
// that has gone does not.
func TestCallersThatHaveGoneWantNoAnswer(t *testing.T) {
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := uint32(cmd.Process.Pid)
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGWINCH, syscall.SIGCHLD, syscall.SIGURG} {
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if isEnding(pid) {
			t.Errorf("%v ends the wait", signal)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // stays pending, for the process is stopped
		t.Fatal(err)
	}
	if !isEnding(pid) {
		t.Error("SIGTERM does not end the wait")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if !isEnding(pid) {
		t.Error("a process that has gone does not end the wait")
	}
}

// An interrupt without a signal of that kind leaves the request alone, and
// nothing goes on when it is answered.
func TestAnInterruptAloneEndsNoWait(t *testing.T) {
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	synctest.Test(t, func(t *testing.T) {
		interrupted := make(chan struct{})
		request := &fuse.Context{Cancel: interrupted}
		request.Pid = uint32(cmd.Process.Pid)
		ctx, done := wanted(request)
		close(interrupted)
		time.Sleep(time.Minute)
		if ctx.Err() != nil {
			t.Error("the wait has ended")
		}
		done()
		if ctx.Err() != context.Canceled {
			t.Error("the context outlives the request")
		}
	})
}

func TestErrorsHoldNoControlBytes(t *testing.T) {
	for text, want := range map[string]string{
		"plain ünï ☃":      "plain ünï ☃",
		"a\x1b[31mb\x7f":   `a\x1b[31mb\x7f`,
		"tab\tnew\nline\r": `tab\tnew\nline\x0d`,
		"c1 \u009b31m":     `c1 \u009b31m`,
		"raw \xff\xfe":     `raw \xff\xfe`,
		`back\slash`:       `back\slash`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if long := printable(strings.Repeat("é", 1000)); len(long) != 2000 {
		t.Error(fmt.Sprint(len(long), " bytes"))
	}
}
