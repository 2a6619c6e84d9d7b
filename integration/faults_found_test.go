package integration

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/faultfs"
	"imgexportfs/integration/xcatsite"
)

// faultyStateless is a site whose image "mixed" has a root image of a size.
func faultyStateless(t *testing.T, size int) *faultySite {
	t.Helper()
	site := newSite(t)
	must(t, site.AddStateless("mixed", xcatsite.Stateless{
		Kernel: []byte("kernel"), Ramdisk: []byte("ramdisk"), Rootimg: xcatsite.Noise("rootimg", size),
	}))
	return misbehaving(t, site)
}

// An error in the middle of a large source ends the reader there, not earlier with
// other bytes.
func TestErrorInTheMiddleOfALargeSourceEndsTheReader(t *testing.T) {
	const size, bad = 24 << 20, 12 << 20
	site := faultyStateless(t, size)
	m := mountSite(t, site.Dir(), "--refresh", "20ms")
	dir := t.TempDir()
	whole, part := filepath.Join(dir, "whole"), filepath.Join(dir, "part")
	run(t, "cp", m.path("mixed.tgz"), whole)
	site.touch(t)
	time.Sleep(30 * time.Millisecond)
	run(t, "stat", m.path("mixed.tgz"))
	site.Set(func(c faultfs.Call) faultfs.Fault {
		if c.Op == faultfs.Read && c.Off <= bad && bad < c.Off+int64(c.Len) {
			return faultfs.Fault{Errno: syscall.EIO}
		}
		return faultfs.Fault{}
	})
	script := `dd bs=64K if="$1" of="$2" status=none`
	r := process{args: []string{"bash", "-c", script, "bash", m.path("mixed.tgz"), part}, mayFail: true}.run(t)
	expectContains(t, "what dd says", r.stderr, "Input/output error")
	if r.code == 0 {
		t.Error("dd ends with exit code 0")
	}
	want, err := os.ReadFile(whole)
	must(t, err)
	got, err := os.ReadFile(part)
	must(t, err)
	if len(got) < bad-(2<<20) || len(got) > bad+(1<<20) || !bytes.HasPrefix(want, got) {
		t.Errorf("%d bytes could be read before an error at %d, or they are wrong", len(got), bad)
	}
	expectContains(t, "the log", m.wholeLog(), "rootimg.cpio.gz: input/output error")
	site.Set(nil)
	run(t, "cmp", m.path("mixed.tgz"), whole)
}

// A source that is rewritten with the same size within the second in which it was
// planned is not taken for what it was, where times have no fractions of a second.
func TestRewriteWithinASecondShowsWhereTimesAreWholeSeconds(t *testing.T) {
	t.Parallel() // it waits most of the time
	const size = 2 << 20
	site := faultyStateless(t, size)
	site.Set(func(faultfs.Call) faultfs.Fault { return faultfs.Fault{Coarse: true} })
	m := mountSite(t, site.Dir(), "--refresh", "20ms")
	file := site.real(xcatsite.ProfileDir("mixed") + "/rootimg.cpio.gz")
	early, late := xcatsite.Noise("early", size), xcatsite.Noise("late", size)
	for range 2 {
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(1100 * time.Millisecond)))
		must(t, os.WriteFile(file, early, 0o600))
		time.Sleep(30 * time.Millisecond)
		reader := startWaiter(t, "cat", m.path("mixed.tgz"))
		time.Sleep(300 * time.Millisecond)
		must(t, os.WriteFile(file, late, 0o600))
		<-reader.ended
		time.Sleep(time.Second)
		got := shell(t, "", `tar -xzOf "$1" ./mixed/rootimg.cpio.gz | sha256sum`, m.path("mixed.tgz"))
		expectContains(t, "sum of the root image", got, fmt.Sprintf("%x", sha256.Sum256(late)))
	}
}

// A source that stops answering while it is read ends the readers of the bundle and of
// the member with an error that the log explains, in less than half a minute. A reader
// that is interrupted ends at once.
func TestReadersOfASourceThatHangsEnd(t *testing.T) {
	t.Parallel() // it waits most of the time
	site := faultyStateless(t, 8<<20)
	m := mountSite(t, site.Dir(), "--refresh", "20ms")
	bundle, member := m.path("mixed.tgz"), m.path("mixed", "rootimg.cpio.gz")
	run(t, "stat", bundle)
	site.Set(faultfs.On(faultfs.Read, "/", faultfs.Fault{Hang: true}))
	defer site.Set(nil) // so that the server can end
	readers := []*waiter{startWaiter(t, "cat", bundle), startWaiter(t, "cat", member)}
	interrupted := startWaiter(t, "dd", "iflag=direct", "bs=1M", "status=none", "if="+member, "of=/dev/null")
	interrupted.inSystemCall(t)
	interrupted.signal(t, syscall.SIGINT)
	_ = inTime(t, time.Second, "an interrupted dd", interrupted.wait)
	for _, r := range readers {
		_ = inTime(t, 30*time.Second, "cat", r.wait)
		if r.cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%v ends with %v: %s", r.cmd.Args, r.cmd.ProcessState, &r.out)
		}
		expectContains(t, "what cat says", r.out.String(), "timed out")
	}
	expectContains(t, "the log", m.wholeLog(), "image mixed: ", "rootimg.cpio.gz")
	site.Set(nil)
	run(t, "cat", bundle, member)
}
