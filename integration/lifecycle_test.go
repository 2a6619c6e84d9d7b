package integration

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The exit code of a mount or an unmount that failed.
const exitMount = 4

// Either signal unmounts, and the server ends well: that is how a mount is
// meant to end.
func TestSignalsUnmount(t *testing.T) {
	site := smallSite(t, 1000)
	for name, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			m := mountSite(t, site.Dir())
			listing(t, m.dir)
			m.signal(t, sig)
			if code := m.wait(t); code != 0 {
				t.Errorf("exit code %d: %s", code, m.log)
			}
			m.expectUnmounted(t)
		})
	}
}

// A reader that has a file open does not keep the server alive, nor hang: what
// it has not read yet ends with an error.
func TestSignalUnmountsUnderAReader(t *testing.T) {
	site := smallSite(t, 48<<20)
	m := mountSite(t, site.Dir())
	reader := hold(t, m.path("bar.tgz"), 200_000)
	started := time.Now()
	m.signal(t, syscall.SIGTERM)
	if code := m.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, m.log)
	}
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("the server took %v to end", took)
	}
	m.expectUnmounted(t)
	switch hash, errno := reader.rest(); errno {
	case syscall.ENOTCONN, syscall.ECONNABORTED, syscall.EIO:
	default:
		t.Errorf("the reader got error %d (%v), hash %s; want an error that says that the server has gone", errno, errno, hash)
	}
}

// A reader whose read the server is busy with does not hang either.
func TestSignalUnmountsUnderAReaderThatWaits(t *testing.T) {
	site := slowSite(t)
	m := mountSiteEnv(t, site.Dir(), slowlyEnv, slowlyFlags...)
	reader := startWaiter(t, "cat", m.path("slow.tgz"))
	reader.inSystemCall(t)
	started := time.Now()
	m.signal(t, syscall.SIGTERM)
	if code := m.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, m.log)
	}
	m.expectUnmounted(t)
	select {
	case <-reader.ended:
	case <-time.After(10 * time.Second):
		t.Fatalf("%v after the signal, the reader still waits", time.Since(started))
	}
	if code := exitCode(reader.cmd.ProcessState); code != 1 {
		t.Errorf("the reader ended with code %d, want 1: %q", code, reader.out.String())
	}
}

// A process that stands in the mount does not keep the server alive.
func TestSignalUnmountsUnderAWorkingDirectory(t *testing.T) {
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir())
	sitter := startSleeper(t, m.path("foo"))
	defer sitter()
	m.signal(t, syscall.SIGTERM)
	m.wait(t)
	m.expectUnmounted(t)
}

// The command umount ends a mount, and its server ends well.
func TestUmountCommand(t *testing.T) {
	site := smallSite(t, 1000)
	one, two := mountSite(t, site.Dir()), mountSite(t, site.Dir())
	r := program(t, t.TempDir(), "umount", one.dir, two.dir)
	expectCode(t, r, 0)
	for _, m := range []*mount{one, two} {
		if code := m.wait(t); code != 0 {
			t.Errorf("the server's exit code is %d: %s", code, m.log)
		}
		m.expectUnmounted(t)
	}
}

// fusermount3 and umount(8) work as on any other FUSE mount.
func TestOtherWaysToUnmount(t *testing.T) {
	site := smallSite(t, 1000)
	for _, tool := range [][]string{{"fusermount3", "-u"}, {"umount"}} {
		t.Run(tool[0], func(t *testing.T) {
			needTools(t, tool[0])
			m := mountSite(t, site.Dir())
			listing(t, m.dir)
			run(t, append(tool, m.dir)...)
			if code := m.wait(t); code != 0 {
				t.Errorf("the server's exit code is %d: %s", code, m.log)
			}
		})
	}
}

// A mount whose server was killed can be cleaned up, and says what it is to
// the next mount.
func TestDeadMount(t *testing.T) {
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir())
	m.signal(t, syscall.SIGKILL)
	m.wait(t)
	t.Cleanup(func() {
		if fstype, _ := mountedOn(m.dir); fstype != "" {
			detach(t, m.dir)
		}
	})
	r := program(t, t.TempDir(), "mount", "--root", site.Dir(), m.dir)
	expectCode(t, r, exitMount)
	expectContains(t, "stderr", r.stderr, "Error: ", m.dir, "umount")
	expectCode(t, program(t, t.TempDir(), "umount", m.dir), 0)
	m.expectUnmounted(t)
	again := startServer(t, m.dir, site.Dir(), nil)
	t.Cleanup(func() { again.stop(t) })
	again.waitReady(t)
	expectLines(t, "files", typesOf(t, m.dir, "foo.tgz"), []string{"foo.tgz regular file"})
}

// A mount point that will not do is named, with a reason.
func TestBadMountPointsAreNamed(t *testing.T) {
	needFUSE(t)
	site := smallSite(t, 1000)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o644))
	for point, reason := range map[string]string{
		dir + "/missing": "no such file or directory",
		file:             "not a directory",
	} {
		r := program(t, dir, "mount", "--root", site.Dir(), point)
		expectCode(t, r, exitMount)
		expectContains(t, "stderr", strings.ToLower(r.stderr), "error: ", strings.ToLower(point), reason)
	}
}

// What is not a mount of ours is left alone.
func TestUmountLeavesOthersAlone(t *testing.T) {
	needRoot(t)
	plain := t.TempDir()
	other := t.TempDir()
	run(t, "mount", "-t", "tmpfs", "tmpfs", other)
	t.Cleanup(func() { run(t, "umount", other) })
	for _, dir := range []string{plain, other, plain + "/missing"} {
		r := program(t, plain, "umount", dir)
		expectCode(t, r, exitMount)
		expectContains(t, "stderr", r.stderr, "Error: ", dir)
	}
	if fstype, err := mountedOn(other); err != nil || fstype != "tmpfs" {
		t.Errorf("the tmpfs is now %q (%v)", fstype, err)
	}
}

// Command lines that are wrong say so with exit code 2.
func TestWrongCommandLines(t *testing.T) {
	needRoot(t)
	site := smallSite(t, 1000)
	dir := t.TempDir()
	for _, args := range [][]string{
		{},
		{"nosuchcommand"},
		{"mount"},
		{"mount", "--root", site.Dir()},
		{"mount", "--nosuchflag", dir},
		{"mount", "--root", site.Dir(), dir, "extra"},
		{"mount", "--root", site.Dir(), "-o", "remount", dir},
		{"mount", "--root", site.Dir(), "-o", "umask=9", dir},
		{"mount", "--root", site.Dir(), "-o", "nosuchoption", dir},
		{"mount", "--root", site.Dir(), "--refresh", "soon", dir},
		{"mount", "--root", site.Dir(), "--memory", "lots", dir},
		{"umount"},
		{"list", "--nosuchflag"},
		{"export", "--root", site.Dir(), "--nosuchoption"},
		{"export", "--root", site.Dir(), "foo", "--nosuchoption"},
		{"export", "--root", site.Dir(), "foo", "dest", "extra"},
		{"export", "--root", site.Dir(), "foo", "-p"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			r := program(t, dir, args...)
			expectCode(t, r, 2)
			if r.stderr == "" && len(args) > 0 {
				t.Error("nothing is said about it")
			}
		})
	}
	expectLines(t, "files", listing(t, dir), nil)
	if fstype, err := mountedOn(dir); err != nil || fstype != "" {
		t.Errorf("a %s is mounted (%v)", fstype, err)
	}
}

// startSleeper starts a child that stands in dir until the function returned
// is called.
func startSleeper(t *testing.T, dir string) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := process{args: []string{"sh", "-c", `cd "$1" && echo in && exec sleep 60`, "sh", dir}}.command(ctx)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatalf("cannot stand in %s: %v", dir, err)
	}
	return func() {
		cancel()
		_ = cmd.Wait()
	}
}
