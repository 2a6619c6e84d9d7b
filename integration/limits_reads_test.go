package integration

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/faultfs"
	"imgexportfs/integration/xcatsite"
)

func init() { helpers["flood"] = helperFlood }

// floodRead is how much one read of helperFlood asks for: as much as the kernel asks the
// server for at once.
const floodRead = 1 << 20

// helperFlood FILE COPY READERS READS FLAGS has so many threads read FILE at random
// offsets at the same time, each so often, and compares with COPY, if that is not "".
// FLAGS are for open(2).
func helperFlood(args []string) error {
	readers, err1 := strconv.Atoi(args[2])
	reads, err2 := strconv.Atoi(args[3])
	flags, err3 := strconv.Atoi(args[4])
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	var want []byte
	if args[1] != "" {
		var err error
		if want, err = os.ReadFile(args[1]); err != nil {
			return err
		}
	}
	errs := make([]error, readers)
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() { errs[i] = flood(args[0], want, i, reads, flags) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// flood is one of the threads.
func flood(name string, want []byte, seed, reads, flags int) error {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	buf, err := unix.Mmap(-1, 0, floodRead, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE) // aligned
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	for range reads {
		off := random.Int64N(st.Size/floodRead) * floodRead
		n, err := unix.Pread(fd, buf, off)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("read %s at %d: %w", name, off, err)
		case want != nil && !bytes.Equal(buf[:n], want[off:off+int64(n)]):
			return fmt.Errorf("other bytes of %s at %d", name, off)
		}
	}
	return nil
}

// floodSite has an image with a large member, and one called well, from a disk that is as
// slow as it is told.
func floodSite(t *testing.T) *faultySite {
	t.Helper()
	site := newSite(t)
	must(t, site.AddStateless("bar", xcatsite.Stateless{
		Kernel: []byte("kernel"), Ramdisk: []byte("ramdisk"), Rootimg: xcatsite.Noise("rootimg", 32<<20),
	}))
	must(t, site.WriteFile("/install/well.tmpl", 0o644, xcatsite.Noise("well", 8<<20)))
	must(t, site.AddStateful("well", nil, xcatsite.Row{"template": "/install/well.tmpl"}))
	return misbehaving(t, site)
}

// Many reads of members and of bundles at once stay inside the budget, those past the
// kernel's cache too, and also while a slow disk keeps them.
func TestReadsInFlightStayInsideTheBudget(t *testing.T) {
	t.Parallel()
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	site := floodSite(t)
	source := site.real(xcatsite.ProfileDir("bar") + "/" + rootimg)
	work := t.TempDir()
	run(t, programFile, "export", "--root", site.Dir(), "bar", work)
	slow := faultfs.On(faultfs.Read, "/", faultfs.Fault{Delay: 20 * time.Millisecond})
	for _, c := range []struct {
		name, file, copy string
		readers, reads   int
		flags            int
		script           faultfs.Script
	}{
		{"member", "bar/" + rootimg, source, 64, 6, 0, nil},
		{"member", "bar/" + rootimg, source, 256, 3, 0, nil},
		{"member, direct", "bar/" + rootimg, source, 64, 6, unix.O_DIRECT, nil},
		{"member, direct", "bar/" + rootimg, source, 256, 3, unix.O_DIRECT, nil},
		{"member, direct, slow", "bar/" + rootimg, source, 64, 2, unix.O_DIRECT, slow},
		{"member, direct, slow", "bar/" + rootimg, source, 256, 1, unix.O_DIRECT, slow},
		{"bundle, direct", "bar.tgz", work + "/bar.tgz", 64, 6, unix.O_DIRECT, nil},
		{"bundle, direct", "bar.tgz", work + "/bar.tgz", 256, 3, unix.O_DIRECT, nil},
		{"bundle, direct, slow", "bar.tgz", work + "/bar.tgz", 32, 1, unix.O_DIRECT, slow},
	} {
		t.Run(fmt.Sprintf("%s, %d readers", c.name, c.readers), func(t *testing.T) {
			site.Set(nil)
			m := mountSiteEnv(t, site.Dir(), []string{"GOMAXPROCS=2"}, "--memory", "64MiB", "--refresh", "1h")
			run(t, "stat", m.path(c.file))
			site.Set(c.script)
			helperProcess(t, "flood", m.path(c.file), c.copy, strconv.Itoa(c.readers), strconv.Itoa(c.reads), strconv.Itoa(c.flags)).run(t)
			site.Set(nil)
			expectWithinBudget(t, m, 2, fmt.Sprintf("%s, %d readers", c.name, c.readers))
			m.stop(t)
		})
	}
}

// Reads that hang hold up no reader of another source, however many they are, and end
// with an error.
func TestManyReadsThatHangHoldUpNoOther(t *testing.T) {
	t.Parallel() // it waits most of the time
	site := floodSite(t)
	m := mountSite(t, site.Dir(), "--memory", "64MiB", "--refresh", "1h")
	hanging, well := m.path("bar", rootimg), m.path("well", "well.tmpl")
	run(t, "stat", hanging, well)
	site.Set(func(c faultfs.Call) faultfs.Fault {
		return faultfs.Fault{Hang: c.Op == faultfs.Read && strings.HasSuffix(c.Path, rootimg)}
	})
	flooding := make(chan result)
	go func() {
		p := helperProcess(t, "flood", hanging, "", "200", "1", strconv.Itoa(unix.O_DIRECT))
		p.mayFail = true
		flooding <- p.run(t)
	}()
	eventually(t, "reads hang", func() bool { return len(site.Calls()) >= 16 })
	for range 3 {
		r := process{args: []string{"dd", "if=" + well, "of=/dev/null", "bs=1M", "iflag=direct"}}.run(t)
		t.Logf("a read of 8 MiB beside 200 that hang takes %v", r.took)
		if r.took > readerPatience {
			t.Errorf("a read of another source takes %v", r.took)
		}
	}
	r := <-flooding
	if r.code == 0 || !strings.Contains(r.stderr, "timed out") {
		t.Errorf("the reads that hang end with code %d: %s", r.code, clip(r.stderr))
	}
	t.Logf("the reads that hang end after %v; at most %d MiB resident", r.took, m.peakMemory(t)>>20)
	site.Set(nil)
	run(t, "cmp", hanging, site.real(xcatsite.ProfileDir("bar")+"/"+rootimg))
}

// readerPatience is how long a reader may wait because of readers of other sources: less
// than one of a source that hangs.
const readerPatience = 10 * time.Second
