package main

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// A mount in the background is the program started again in a session of its own. It
// has the caller's standard streams until its mount answers, so that its messages are
// the caller's.

// daemonEnv is set for the program that is the daemon.
const daemonEnv = "IMGEXPORTFS_DAEMON"

// The descriptors that a daemon is started with, besides the standard streams.
const (
	handoverFd = 3 // a handover can be read from it
	readyFd    = 4 // a byte written to it says that the mount answers
)

// handover is what a daemon gets through a pipe, because every user can see arguments,
// and a location may hold a password.
type handover struct {
	Args     []string
	Location string // XCATCFG
}

// isDaemon reports whether this process was started by startDaemon.
var isDaemon bool

// takeHandover returns the arguments of a daemon if this process is one, and else args.
func takeHandover(args []string) ([]string, error) {
	if os.Getenv(daemonEnv) == "" {
		return args, nil
	}
	_ = os.Unsetenv(daemonEnv) // which fails for no name that is set
	syscall.CloseOnExec(readyFd)
	pipe := os.NewFile(handoverFd, "handover")
	defer func() { _ = pipe.Close() }()
	var h handover
	if err := gob.NewDecoder(pipe).Decode(&h); err != nil {
		return nil, fmt.Errorf("%s is for the program itself: %w; unset it", daemonEnv, err)
	}
	isDaemon = true
	if h.Location != "" {
		setLocation(h.Location)
	}
	return h.Args, nil
}

// startDaemon runs the program with args in the background, and returns when its mount
// answers, or with the exit code that it ended with. It has said why.
func startDaemon(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return withCode(exitMount, err)
	}
	// What the caller has open, such as a lock, is not for a process that stays.
	_ = unix.CloseRange(handoverFd, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) // Linux 5.11
	cmd := exec.Command(self)
	cmd.Args = os.Args // as ps may show them: takeArgs has hidden passwords
	cmd.Env = append(os.Environ(), daemonEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if f, ok := stdout.(*os.File); ok {
		cmd.Stdout = f
	}
	if f, ok := stderr.(*os.File); ok {
		cmd.Stderr = f
	}
	ready, err := startWith(cmd, handover{args, getenv(locationEnv)})
	if err != nil {
		return withCode(exitMount, fmt.Errorf("start in the background: %w", err))
	}
	defer func() { _ = ready.Close() }()
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })()
	if n, _ := ready.Read(make([]byte, 1)); n == 1 {
		return nil
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return &exitError{code: exit.ExitCode()}
	}
	return withCode(exitMount, fmt.Errorf("the mount in the background has ended before it answered: %v", cmd.ProcessState))
}

// startWith starts a daemon, gives it its handover, and returns the pipe on which it
// says that it is ready.
func startWith(cmd *exec.Cmd, h handover) (ready *os.File, err error) {
	handoverRead, handoverWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = handoverRead.Close() }()
	defer func() { _ = handoverWrite.Close() }()
	ready, readyWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = readyWrite.Close() }()
	cmd.ExtraFiles = []*os.File{handoverRead, readyWrite} // handoverFd, readyFd
	if err := cmd.Start(); err != nil {
		return nil, oneLine(err, ready.Close())
	}
	_ = gob.NewEncoder(handoverWrite).Encode(h) // a daemon that does not read it says why
	return ready, nil
}

// leaveCaller is called by a daemon whose mount answers: it gives up the caller's
// streams and working directory. Its standard error is the log file, if there is one.
func leaveCaller(log *logFile) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = null.Close() }()
	for _, fd := range []int{unix.Stdin, unix.Stdout, unix.Stderr} {
		if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
			return err
		}
	}
	if log != nil {
		if err := log.becomeStderr(); err != nil {
			return err
		}
	}
	return os.Chdir("/")
}

// letCallerGo tells the process that has started this daemon that the mount answers. It
// may be gone.
func letCallerGo() {
	ready := os.NewFile(readyFd, "ready")
	_, _ = ready.Write([]byte{1})
	_ = ready.Close()
}
