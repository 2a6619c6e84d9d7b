package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// victim is a site whose program is killed again and again, with one cache for all.
type victim struct {
	site        *xcatsite.Site
	cache, work string
	random      *rand.Rand
	want        string // sum of the bundle
	copies      int    // that ended well although the program was killed
}

// newVictim has an image that is worth caching, in a cache that is too small for it.
func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{
		site: newSite(t), cache: emptyDir(t, "cache"), work: emptyDir(t, "work"),
		random: rand.New(rand.NewPCG(randomSeed(t), 0)),
	}
	must(t, os.Chmod(v.cache, 0o700))
	must(t, v.site.AddStatelite("image", xcatsite.Text("kernel", 12<<20), xcatsite.Noise("ramdisk", 2<<20)))
	must(t, v.site.WriteFile(v.site.TreeDir("image")+"/usr/large", 0o644, xcatsite.Text("large", 3<<20)))
	v.touch(t)
	expectCode(t, program(t, v.work, "export", "--root", v.site.Dir(), "image"), 0)
	v.want = v.sum(t, filepath.Join(v.work, "image.tgz"))
	return v
}

// touch makes all that is cached of the kernel useless; the bundle stays as it is.
func (v *victim) touch(t *testing.T) {
	t.Helper()
	must(t, v.site.Touch(xcatsite.ProfileDir("image")+"/kernel", xcatsite.Epoch))
}

func (v *victim) sum(t *testing.T, path string) string {
	t.Helper()
	return strings.Fields(run(t, "sha256sum", path))[0]
}

func (v *victim) flags() []string {
	return []string{"--cache-dir", v.cache, "--cache-size", "3MiB", "--memory", "16MiB"}
}

// soon is a moment from now on, often a very early one.
func (v *victim) soon() time.Duration {
	return time.Duration(v.random.IntN(1+v.random.IntN(700_000))) * time.Microsecond
}

// killMount kills a server that mounts, plans, sizes or is read.
func (v *victim) killMount(t *testing.T, sig syscall.Signal) {
	m := startServer(t, t.TempDir(), v.site.Dir(), nil, v.flags()...)
	unmountAtEnd(t, m.dir)
	copied := filepath.Join(v.work, "copied")
	_ = os.Remove(copied)
	script := `until [ -e "$1" ] || [ ! -d "$3" ]; do sleep 0.01; done; cp "$1" "$2"`
	reader := startWaiter(t, "timeout", "20", "bash", "-c", script, "bash", m.path("image.tgz"), copied, m.dir)
	if v.random.IntN(2) == 0 {
		m.waitReady(t)
	}
	time.Sleep(v.soon())
	m.signal(t, sig)
	code := m.wait(t)
	if sig == syscall.SIGTERM {
		m.expectUnmounted(t)
		if code != 0 && code != 128+int(sig) {
			t.Errorf("exit code %d after SIGTERM: %s", code, m.log)
		}
	} else if fstype, err := mountedOn(m.dir); err != nil || fstype != "" {
		must(t, err)
		expectCode(t, program(t, "", "umount", m.dir), 0)
		m.expectUnmounted(t)
	}
	must(t, os.Remove(m.dir)) // which ends the wait of a reader that saw no bundle
	<-reader.ended
	if reader.cmd.ProcessState.Success() {
		v.copies++
		expectText(t, "sum of a copy during a kill", v.sum(t, copied), v.want)
	}
}

// killExport kills an export. What was there stays as it was, or is the new bundle.
func (v *victim) killExport(t *testing.T, sig syscall.Signal) {
	file := filepath.Join(v.work, "image.tgz")
	must(t, os.WriteFile(file, []byte("old"), 0o600))
	args := append([]string{programFile, "export", "image", "--root", v.site.Dir()}, "--cache-dir", v.cache)
	p := process{args: args, dir: v.work}
	export := startWaiterIn(t, p)
	time.Sleep(v.soon())
	_ = export.cmd.Process.Signal(sig) // it may have ended
	<-export.ended
	expectLines(t, "files", listing(t, v.work), []string{"copied", "image.tgz"})
	data, err := os.ReadFile(file)
	must(t, err)
	done := export.cmd.ProcessState.Success()
	if string(data) != "old" || done {
		expectText(t, "sum of the bundle", v.sum(t, file), v.want)
	}
}

// killUmount kills the command umount. The next one succeeds.
func (v *victim) killUmount(t *testing.T, sig syscall.Signal) {
	m := startServer(t, t.TempDir(), v.site.Dir(), nil, v.flags()...)
	unmountAtEnd(t, m.dir)
	m.waitReady(t)
	umount := startWaiter(t, programFile, "umount", m.dir)
	time.Sleep(v.soon() / 20)
	_ = umount.cmd.Process.Signal(sig)
	<-umount.ended
	if fstype, err := mountedOn(m.dir); err != nil || fstype != "" {
		must(t, err)
		expectCode(t, program(t, "", "umount", m.dir), 0)
	}
	m.wait(t)
	m.expectUnmounted(t)
}

// expectRight mounts again: all is right, and no temporary file of a program that was
// killed stays for longer than an hour.
func (v *victim) expectRight(t *testing.T) {
	t.Helper()
	old := time.Now().Add(-2 * time.Hour)
	for _, file := range v.temporary(t) {
		must(t, os.Chtimes(file, old, old))
	}
	m := mountSite(t, v.site.Dir(), v.flags()...)
	expectText(t, "sum after all", v.sum(t, m.path("image.tgz")), v.want)
	eventually(t, "temporary files are removed", func() bool { return len(v.temporary(t)) == 0 })
	m.stop(t)
}

// temporary are the files of the cache that have no name of their own yet.
func (v *victim) temporary(t *testing.T) (files []string) {
	t.Helper()
	out := run(t, "find", v.cache, "-type", "f", "-name", ".*")
	return strings.Fields(out)
}

// Killed at any moment, the program leaves no mount that umount does not remove, no
// wrong copy, no half bundle, and a cache that the next mount can use.
func TestKilledAtAnyMomentNothingWrongIsLeft(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	must(t, os.WriteFile(filepath.Join(v.work, "copied"), nil, 0o600))
	kills, limit := 0, soak(t, 4*time.Second)
	for began := time.Now(); time.Since(began) < limit || kills < 20; kills++ {
		sig := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[v.random.IntN(2)]
		[]func(*testing.T, syscall.Signal){v.killMount, v.killMount, v.killExport, v.killUmount}[v.random.IntN(4)](t, sig)
		must(t, os.WriteFile(filepath.Join(v.work, "copied"), nil, 0o600))
		if v.random.IntN(3) == 0 {
			v.touch(t)
		}
		if t.Failed() {
			t.Fatalf("after %d kills", kills+1)
		}
	}
	v.expectRight(t)
	t.Logf("%d kills, %d copies ended well meanwhile", kills, v.copies)
}

// A cache whose files a loss of power has cut at any length is as good as none.
func TestCacheFilesThatAreCutAnywhereAreNotBelieved(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	cut := 0
	for began := time.Now(); cut == 0 || time.Since(began) < soak(t, time.Second); {
		m := mountSite(t, v.site.Dir(), "--cache-dir", v.cache)
		expectText(t, fmt.Sprintf("sum after %d cuts", cut), v.sum(t, m.path("image.tgz")), v.want)
		m.stop(t)
		for _, file := range strings.Fields(run(t, "find", v.cache, "-type", "f")) {
			info, err := os.Stat(file)
			must(t, err)
			must(t, os.Truncate(file, v.random.Int64N(info.Size()+1)))
			cut++
		}
	}
	v.expectRight(t)
	t.Logf("%d files were cut", cut)
}
