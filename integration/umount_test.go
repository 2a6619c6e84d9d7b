package integration

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"
)

// umount names what is still open of a mount that it could only detach, and with --wait
// it returns when all is closed. Without open files it says nothing.
func TestUmountNamesWhatIsStillOpen(t *testing.T) {
	site := smallSite(t, 3<<20)
	m := mountSite(t, site.Dir())
	reader := hold(t, m.path("bar.tgz"), 1000)
	leave := startSleeper(t, m.path("foo"))
	defer leave()
	r := program(t, "/", "umount", m.dir)
	expectCode(t, r, 0)
	expectContains(t, "stderr", r.stderr, m.dir+": detached; 2 files are still open: ",
		m.path("bar.tgz")+" (", m.path("foo")+" (sleep, process ")
	m.expectUnmounted(t)
	if hash, errno := reader.rest(); errno != 0 || hash == "" {
		t.Errorf("the reader got error %v", errno)
	}
	leave()
	if code := m.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, m.log)
	}

	idle := mountSite(t, site.Dir())
	r = program(t, "/", "umount", "--wait", idle.dir)
	expectCode(t, r, 0)
	expectText(t, "stderr", r.stderr, "")
	idle.wait(t)
}

func TestUmountWaitsUntilAllIsClosed(t *testing.T) {
	site := smallSite(t, 3<<20)
	m := mountSite(t, site.Dir())
	reader := hold(t, m.path("bar.tgz"), 1000)
	var said syncBuffer
	cmd := process{args: []string{programFile, "umount", m.dir, "--wait"}}.command(context.Background())
	cmd.Stderr = &said
	must(t, cmd.Start())
	eventually(t, "umount says what is open", func() bool { return said.String() != "" })
	expectContains(t, "stderr", said.String(), "detached; 1 file is still open: "+m.path("bar.tgz"))
	ended := make(chan int, 1)
	go func() {
		_ = cmd.Wait() // the state says how it ended
		ended <- exitCode(cmd.ProcessState)
	}()
	select {
	case code := <-ended:
		t.Fatalf("umount --wait ended with code %d while a file was open", code)
	case <-time.After(500 * time.Millisecond):
	}
	if _, errno := reader.rest(); errno != 0 {
		t.Errorf("the reader got error %v", errno)
	}
	if code := <-ended; code != 0 {
		t.Errorf("umount --wait ended with code %d: %s", code, &said)
	}
	m.wait(t)
}

// Ctrl-C ends the wait, and no more.
func TestInterruptEndsTheWaitOfUmount(t *testing.T) {
	site := smallSite(t, 3<<20)
	m := mountSite(t, site.Dir())
	reader := hold(t, m.path("bar.tgz"), 1000)
	var said syncBuffer
	cmd := process{args: []string{programFile, "umount", "--wait", m.dir}}.command(context.Background())
	cmd.Stderr = &said
	must(t, cmd.Start())
	eventually(t, "umount says what is open", func() bool { return said.String() != "" })
	must(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait() // the state says how it ended
	if code := exitCode(cmd.ProcessState); code != 130 {
		t.Errorf("exit code %d: %s", code, &said)
	}
	if _, errno := reader.rest(); errno != 0 {
		t.Errorf("the reader got error %v", errno)
	}
	m.wait(t)
}

// --quiet is for scripts that do not know whether there is a mount.
func TestQuietUmountOfNothing(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	r := program(t, "/", "umount", "--quiet", dir)
	expectCode(t, r, 0)
	expectText(t, "output", r.stdout+r.stderr, "")
	expectCode(t, program(t, "/", "umount", dir), exitMount)
	expectCode(t, program(t, "/", "umount", "--quiet", dir+"/missing"), exitMount)
}

// What fusermount has to say to a user is in the error, on one line.
func TestFusermountsWordsAreTheError(t *testing.T) {
	needTools(t, "fusermount3")
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir())
	openTheWay(t, site.Dir())
	openTheWay(t, programFile)
	own := t.TempDir()
	openTheWay(t, own)
	must(t, os.Chown(own, 65534, 65534))
	openTheWay(t, m.dir)
	for name, args := range map[string][]string{
		"umount of another user's": {"umount", m.dir},
		"mount":                    {"mount", "--root", site.Dir(), "-o", "allow_other,uid=5", own},
	} {
		t.Run(name, func(t *testing.T) {
			r := process{args: append([]string{programFile}, args...), dir: "/", as: nobody(), mayFail: true}.run(t)
			expectCode(t, r, exitMount)
			expectContains(t, "stderr", r.stderr, "Error: ", "mount "+args[len(args)-1]+": ", "fusermount3: ")
			expectNot(t, r.stderr, "code 256")
			expectNot(t, r.stderr[:len(r.stderr)-1], "\n")
		})
	}
}
