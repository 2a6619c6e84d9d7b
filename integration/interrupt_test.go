package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// slowly makes the program take seconds for the image of slowSite: one
// processor, the best compression, and no memory to keep what it has made.
var (
	slowlyEnv   = []string{"GOMAXPROCS=1"}
	slowlyFlags = []string{"--level", "9", "--memory", "32MiB"}
)

// slowSite has an image "slow" with a large file that has to be compressed.
func slowSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	must(t, site.AddImage("slow", "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil))
	text := bytes.Repeat(xcatsite.Text("slow", 1<<20), 200)
	must(t, site.WriteFile("/install/raw/sles15/s390x/z/a.img", 0o644, text))
	return site
}

// An export that a signal ends exits as shells expect, says so, and leaves
// neither a half bundle nor a temporary file; the old bundle stays. The signal
// comes while the size is found out, or while the bundle is written.
func TestInterruptedExportLeavesNothing(t *testing.T) {
	site := slowSite(t)
	for _, c := range []struct {
		name    string
		signal  syscall.Signal
		writing bool
	}{
		{"SIGINT while sizing", syscall.SIGINT, false},
		{"SIGTERM while writing", syscall.SIGTERM, true},
		{"SIGINT while writing", syscall.SIGINT, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			work := t.TempDir()
			must(t, os.WriteFile(filepath.Join(work, "slow.tgz"), []byte("old"), 0o600))
			code, stdout, stderr := interruptExport(t, work, site.Dir(), c.signal, c.writing)
			if want := 128 + int(c.signal); code != want {
				t.Errorf("exit code %d, want %d: %s", code, want, stderr)
			}
			if strings.Contains(stdout, "Done!") || stderr == "" {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
			expectLines(t, "files", listing(t, work), []string{"slow.tgz"})
			expectText(t, "the old bundle", run(t, "cat", filepath.Join(work, "slow.tgz")), "old")
		})
	}
}

// interruptExport sends a signal once the export is on its way.
func interruptExport(t *testing.T, work, root string, sig syscall.Signal, writing bool) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	args := append([]string{programFile, "export", "--root", root, "slow"}, slowlyFlags...)
	cmd := process{args: args, dir: work, env: slowlyEnv}.command(ctx)
	var out, errs syncBuffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	must(t, cmd.Start())
	if writing {
		expectWritesIn(t, cmd, work)
	} else {
		eventually(t, "the export says that it compresses", func() bool { return strings.Contains(out.String(), "Compressing slow") })
	}
	must(t, cmd.Process.Signal(sig))
	_ = cmd.Wait() // the state says how it ended
	if ctx.Err() != nil {
		t.Fatal("the export does not end")
	}
	return exitCode(cmd.ProcessState), out.String(), errs.String()
}

// expectWritesIn waits until an export writes a file in dir. The file has no name yet, or
// a hidden one.
func expectWritesIn(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	eventually(t, "the export writes in "+dir, func() bool {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", cmd.Process.Pid))
		return slices.ContainsFunc(fds, func(fd string) bool {
			file, err := os.Readlink(fd)
			return err == nil && strings.HasPrefix(file, dir+"/")
		})
	})
}

// A reader can be interrupted while the server is still busy finding out a
// size for it, and the mount goes on.
func TestInterruptedReaderEnds(t *testing.T) {
	site := slowSite(t)
	m := mountSiteEnv(t, site.Dir(), slowlyEnv, slowlyFlags...)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := process{args: []string{"stat", m.path("slow.tgz")}}.command(ctx)
	must(t, cmd.Start())
	time.Sleep(300 * time.Millisecond)
	started := time.Now()
	must(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait() // the state says how it ended
	if code := exitCode(cmd.ProcessState); code != 128+int(syscall.SIGINT) {
		t.Errorf("stat ended with code %d, not by the signal", code)
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("stat ended %v after SIGINT", took)
	}
	expectLines(t, "the mount still answers", listing(t, m.dir), []string{"slow", "slow.tgz", "slow.tgz.sha256"})
}
