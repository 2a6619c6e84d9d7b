package integration

import (
	"bytes"
	"context"
	"fmt"
	"io"
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

// counted is a number of things in English.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// newTerminal returns a pseudo terminal and what is shown on it.
func newTerminal(t *testing.T) (terminal *os.File, shown *syncBuffer) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	must(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	must(t, err)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	shown = &syncBuffer{}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(shown, master) // EIO at the end
	}()
	t.Cleanup(func() {
		_ = terminal.Close()
		<-copied
		_ = master.Close()
	})
	return terminal, shown
}

// endsSoonAfter sends a signal, after which the program must end with its code.
func endsSoonAfter(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	sent := time.Now()
	must(t, cmd.Process.Signal(sig))
	_ = cmd.Wait() // the state says how it ended
	took := time.Since(sent)
	t.Logf("%s ended after %v", cmd.Args[1], took.Round(time.Millisecond))
	if code := exitCode(cmd.ProcessState); code != 128+int(sig) {
		t.Errorf("%q: exit code %d, want %d", cmd.Args, code, 128+int(sig))
	}
	if took > 2*time.Second {
		t.Errorf("%q ended %v after the signal", cmd.Args, took)
	}
}

// On a terminal every command that takes long shows a bar, and Ctrl-C ends it at once.
func TestABarShowsHowFarItIsAndCtrlCEndsIt(t *testing.T) {
	site := slowSite(t)
	for _, c := range []struct{ args, shows string }{
		{"list", "0 of 1 image, sizing slow"},
		{"export slow to", "MiB/s"},
		{"export --all .", "MiB/s"},
	} {
		t.Run(c.args, func(t *testing.T) {
			terminal, shown := newTerminal(t)
			args := append([]string{programFile}, strings.Fields(c.args)...)
			args = append(append(args, "--root", site.Dir()), slowlyFlags...)
			cmd := process{args: args, dir: t.TempDir(), env: slowlyEnv}.command(context.Background())
			cmd.Stderr = terminal
			must(t, cmd.Start())
			eventually(t, "a bar", func() bool { s := shown.String(); return strings.Contains(s, c.shows) && strings.Contains(s, "%") })
			endsSoonAfter(t, cmd, syscall.SIGINT)
		})
	}
}

// check looks into a tree for as long as that takes, says so, and can be ended.
func TestCheckAndNoSizeOfALargeTree(t *testing.T) {
	site := newSite(t)
	must(t, site.AddStatelite("lite", xcatsite.Noise("k", 1000), xcatsite.Noise("r", 1000)))
	dir := site.Path(site.TreeDir("lite"))
	for i := range 30_000 {
		must(t, os.WriteFile(fmt.Sprintf("%s/file-%d", dir, i), nil, 0o644))
	}
	r := program(t, t.TempDir(), "list", "--root", site.Dir(), "--no-size")
	expectCode(t, r, 0)
	expectContains(t, "list --no-size", strings.Join(columnsOf(t, r.stdout, "lite"), " "), "lite statelite", " - ok")
	cmd := process{args: []string{programFile, "check", "--root", site.Dir()}, env: []string{"GOMAXPROCS=1"}}.command(context.Background())
	must(t, cmd.Start())
	time.Sleep(50 * time.Millisecond)
	endsSoonAfter(t, cmd, syscall.SIGINT)
}

// Where no bar can be drawn a line comes every few seconds.
func TestLinesSayHowFarItIsWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 8<<20)
	read, write, err := os.Pipe()
	must(t, err)
	defer read.Close()
	cmd := process{args: []string{programFile, "export", "--root", site.Dir(), "bar", "-"}}.command(context.Background())
	var stderr syncBuffer
	cmd.Stdout, cmd.Stderr = write, &stderr
	must(t, cmd.Start())
	must(t, write.Close())
	buf := make([]byte, 64<<10)
	eventually(t, "a line", func() bool {
		_, err := read.Read(buf) // about a megabyte a second
		must(t, err)
		time.Sleep(20 * time.Millisecond)
		return strings.Contains(stderr.String(), "% done")
	})
	endsSoonAfter(t, cmd, syscall.SIGINT)
	expectContains(t, "stderr", stderr.String(), "\nbar: ", "% done, about ", "s left\n")
	if lines := strings.Count(stderr.String(), "% done"); lines > 2 {
		t.Errorf("%d lines: %s", lines, stderr.String())
	}
}

// An export to another host calls ssh before it reads and compresses the sources: the
// ssh of this test writes down how much the program has read by then.
func TestARemoteHostIsTriedBeforeTheSizeIsFound(t *testing.T) {
	site := slowSite(t)
	bin := t.TempDir()
	must(t, os.WriteFile(filepath.Join(bin, "ssh"), []byte("#!/bin/sh\ngrep rchar /proc/$PPID/io >&2\nexit 255\n"), 0o755))
	args := append([]string{programFile, "export", "--root", site.Dir(), "slow", "-R", "root@mn2"}, slowlyFlags...)
	r := process{args: args, env: append([]string{"PATH=" + bin + ":" + os.Getenv("PATH")}, slowlyEnv...), mayFail: true}.run(t)
	expectCode(t, r, exitWrite)
	expectContains(t, "stderr", r.stderr, "ssh has no connection")
	var read int64
	if _, err := fmt.Sscanf(r.stderr, "rchar: %d", &read); err != nil || read > 50<<20 {
		t.Errorf("%d bytes were read of 200 MB, %v: %s", read, err, r.stderr)
	}
}

// A bundle is never written to a terminal.
func TestABundleIsNotForATerminal(t *testing.T) {
	site := smallSite(t, 1000)
	terminal, shown := newTerminal(t)
	cmd := process{args: []string{programFile, "export", "--root", site.Dir(), "foo", "-"}}.command(context.Background())
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = terminal, &stderr
	_ = cmd.Run() // the state says how it ended
	if code := exitCode(cmd.ProcessState); code != 2 || !strings.Contains(stderr.String(), "terminal") || shown.String() != "" {
		t.Errorf("code %d, stderr %q, terminal %q", code, stderr.String(), shown.String())
	}
}
