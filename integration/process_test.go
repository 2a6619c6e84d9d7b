package integration

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a child may take unless its test says otherwise. Only
// something that hangs takes so long.
const patience = 60 * time.Second

// process describes a child: what to run, where, and for how long at most.
type process struct {
	args    []string
	dir     string              // working directory, "" for the test's own
	env     []string            // added to the surroundings of the tests
	stdin   io.Reader           // nil: empty
	limit   time.Duration       // 0: patience
	as      *syscall.Credential // nil: the caller
	mayFail bool                // whether an exit code other than 0 is the caller's to judge
}

// result is what a child said.
type result struct {
	stdout, stderr string
	code           int // exit code, or 128+signal
	took           time.Duration
}

// run runs the child. A child that outlives its limit is killed with all of
// its own children and fails the test.
func (p process) run(t *testing.T) result {
	t.Helper()
	limit := p.limit
	if limit == 0 {
		limit = patience
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := p.command(ctx)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	r := result{stdout: stdout.String(), stderr: stderr.String(), took: time.Since(start)}
	if ctx.Err() != nil {
		t.Fatalf("%q hangs: killed after %v\nstdout: %s\nstderr: %s", p.args, limit, clip(r.stdout), clip(r.stderr))
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exitCode(exit.ProcessState)
	case err != nil:
		t.Fatalf("%q: %v", p.args, err)
	}
	if r.code != 0 && !p.mayFail {
		t.Fatalf("%q: exit code %d\nstdout: %s\nstderr: %s", p.args, r.code, clip(r.stdout), clip(r.stderr))
	}
	return r
}

// command makes the child a process group of its own, so that killing it
// kills a shell's children too.
func (p process) command(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Stdin = p.dir, p.stdin
	cmd.Env = append(surroundings(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.as}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// surroundings is the environment without what would change which site the
// program uses, and with nothing remembered from one test to another: tests of
// the cache and of the configuration name a directory or a file.
func surroundings() []string {
	env := []string{"IMGEXPORTFS_CACHE_DIR=", "IMGEXPORTFS_CONFIG="}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "XCAT") && !strings.HasPrefix(e, "IMGEXPORTFS_") {
			env = append(env, e)
		}
	}
	return env
}

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// run runs a tool that must succeed and returns its standard output.
func run(t *testing.T, args ...string) string {
	t.Helper()
	return process{args: args}.run(t).stdout
}

// shell runs a script in dir; $1, $2... are args. Any failing command, also
// inside a pipe, fails it.
func shell(t *testing.T, dir, script string, args ...string) string {
	t.Helper()
	argv := append([]string{"bash", "-euo", "pipefail", "-c", script, "bash"}, args...)
	return process{args: argv, dir: dir, limit: 5 * time.Minute}.run(t).stdout
}

// program runs the program under test in dir.
func program(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return process{args: append([]string{programFile}, args...), dir: dir, mayFail: true}.run(t)
}

// clip keeps messages readable.
func clip(s string) string {
	const most = 4000
	if len(s) > most {
		return s[:most] + "...(cut)"
	}
	return s
}
