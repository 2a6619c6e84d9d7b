package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// What may befall a directory of cached segments. Whatever it is, bundles have the right
// bytes, nothing hangs, and the directory stays within its size.

// Options of a server with so little memory that it takes segments from the disk, and with
// room there for a part of a bundle.
const (
	cacheLimit   = 3 << 20
	segmentMost  = 1 << 20
	cacheAtMost  = cacheLimit + 2*segmentMost // one segment for each of two cores or servers
	cacheSizeArg = "3MiB"
)

// privateDir is a directory that can hold cached segments.
func privateDir(t *testing.T) string {
	t.Helper()
	dir := emptyDir(t, "cache")
	must(t, os.Chmod(dir, 0o700))
	return dir
}

// rightChecksums are those of a server without cached segments.
func rightChecksums(t *testing.T, site *xcatsite.Site) string {
	t.Helper()
	m := mountSite(t, site.Dir())
	defer m.stop(t)
	return checksums(t, m.dir)
}

// cachedBytes is how much the files of cached segments take. Files come and go.
func cachedBytes(cache string) (n int64) {
	paths, _ := filepath.Glob(filepath.Join(cache, "segments/*/*"))
	hidden, _ := filepath.Glob(filepath.Join(cache, "segments/*/.*"))
	for _, path := range append(paths, hidden...) {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
	}
	return n
}

func TestACacheOnAFullDiskIsOneWarning(t *testing.T) {
	t.Parallel()
	site, dir := deflatingSiteOf(t, 16<<20), emptyDir(t, "small")
	want := rightChecksums(t, site)
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=6m,mode=0700"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	m := mountSite(t, site.Dir(), "--cache-dir", dir, "--memory", "4MiB")
	fill := filepath.Join(dir, "others")
	_ = os.WriteFile(fill, make([]byte, 8<<20), 0o600) // fails, and takes all there is
	expectText(t, "checksums on a full disk", checksums(t, m.dir), want)
	expectFewWarnings(t, m)
	m.stop(t)
	must(t, os.Remove(fill))
	m = mountSite(t, site.Dir(), "--cache-dir", dir, "--memory", "4MiB")
	expectText(t, "checksums on a small disk", checksums(t, m.dir), want)
	if n := cachedBytes(dir); n == 0 || n > 3<<20 {
		t.Errorf("%d bytes are cached on a disk of 6 MiB, want at most half of it", n)
	}
}

// A file server that answers in turns is waited for by nobody but a reader of its files.
func TestACacheOnASlowFileServer(t *testing.T) {
	t.Parallel()
	site, cache := deflatingSiteOf(t, 16<<20), privateDir(t)
	want := rightChecksums(t, site)
	server := serveFiles(t, cache)
	must(t, os.Chmod(cache, 0o700))
	var turns sync.WaitGroup
	over := make(chan struct{})
	turns.Go(func() {
		for {
			_ = server.cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(20 * time.Millisecond)
			_ = server.cmd.Process.Signal(syscall.SIGCONT)
			select {
			case <-over:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	defer turns.Wait()
	defer close(over)
	for range 2 {
		m := mountSite(t, site.Dir(), "--cache-dir", cache, "--memory", "4MiB")
		expectText(t, "checksums", checksums(t, m.dir), want)
		m.stop(t)
	}
	if len(segmentFiles(t, cache)) == 0 {
		t.Error("nothing is cached on the slow server")
	}
}

// One that is gone is waited for once, and then left alone.
func TestACacheOnADeadFileServer(t *testing.T) {
	t.Parallel() // it waits most of the time
	site, cache := deflatingSiteOf(t, 16<<20), privateDir(t)
	want := rightChecksums(t, site)
	server := serveFiles(t, cache)
	must(t, os.Chmod(cache, 0o700))
	for _, when := range []string{"empty", "filled"} {
		m := mountSite(t, site.Dir(), "--cache-dir", cache, "--memory", "4MiB")
		server.stop(t)
		_ = inTime(t, patience, "the checksums with a dead cache that was "+when, func() error {
			expectText(t, "checksums", checksums(t, m.dir), want)
			return nil
		})
		expectContains(t, "the log", m.wholeLog(), "not answer")
		expectFewWarnings(t, m)
		server.goOn(t)
		m.stop(t)
		m = mountSite(t, site.Dir(), "--cache-dir", cache, "--memory", "4MiB")
		expectText(t, "checksums", checksums(t, m.dir), want)
		m.stop(t)
	}
}

func TestAHundredThousandCachedFiles(t *testing.T) {
	site, cache := deflatingSiteOf(t, 4<<20), privateDir(t)
	want := rightChecksums(t, site)
	mountTmpfs(t, cache) // where a file may have so many names
	first := filepath.Join(cache, "first")
	must(t, os.WriteFile(first, make([]byte, 5000), 0o600))
	for d := range 256 {
		dir := filepath.Join(cache, "segments", fmt.Sprintf("%02x", d))
		must(t, os.MkdirAll(dir, 0o700))
		for i := range 400 {
			must(t, os.Link(first, filepath.Join(dir, fmt.Sprintf("%062x", i))))
		}
	}
	start := time.Now()
	m := mountSite(t, site.Dir(), "--cache-dir", cache, "--cache-size", "100MiB")
	expectText(t, "checksums", checksums(t, m.dir), want)
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("a server with so many cached files needs %v for a small bundle", took)
	}
	const most = 100 << 20
	expectEventually(t, 20*time.Second, "files go until the rest is within the size", func() bool { return cachedBytes(cache) <= most })
	m.stop(t)
	t.Logf("%v in all", time.Since(start))
}

func TestTwoServersFillAndTrimOneCache(t *testing.T) {
	t.Parallel()
	cache := privateDir(t)
	var servers []*mount
	var wants []string
	for range 2 {
		site := deflatingSiteOf(t, 24<<20)
		wants = append(wants, rightChecksums(t, site))
		servers = append(servers, mountSite(t, site.Dir(), "--cache-dir", cache, "--cache-size", cacheSizeArg, "--memory", "4MiB"))
	}
	var readers sync.WaitGroup
	got := make([]string, len(servers))
	for i, m := range servers {
		readers.Go(func() { got[i] = checksums(t, m.dir) })
	}
	over, most := make(chan struct{}), int64(0)
	go func() { readers.Wait(); close(over) }()
	for done := false; !done; {
		most = max(most, cachedBytes(cache))
		select {
		case <-over:
			done = true
		case <-time.After(2 * time.Millisecond):
		}
	}
	expectLines(t, "checksums", got, wants)
	if most == 0 || most > cacheAtMost {
		t.Errorf("at most %d bytes are cached at a time, the limit is %d", most, cacheLimit)
	}
}

func TestAServerThatIsKilledLeavesARightCache(t *testing.T) {
	t.Parallel()
	site, cache := deflatingSiteOf(t, 24<<20), privateDir(t)
	want := rightChecksums(t, site)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	flags := []string{"--cache-dir", cache, "--cache-size", cacheSizeArg, "--memory", "4MiB"}
	for range 6 {
		m := mountSite(t, site.Dir(), flags...)
		reader := startWaiter(t, "cat", m.path("image.tgz"))
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		m.signal(t, syscall.SIGKILL)
		<-m.done
		<-reader.ended
		detach(t, m.dir)
		if n := cachedBytes(cache); n > cacheAtMost {
			t.Errorf("%d bytes are cached, the limit is %d", n, cacheLimit)
		}
	}
	m := mountSite(t, site.Dir(), flags...)
	expectText(t, "checksums", checksums(t, m.dir), want)
	m.stop(t)
	if n := cachedBytes(cache); n > cacheLimit {
		t.Errorf("%d bytes are cached, the limit is %d", n, cacheLimit)
	}
}

// After a jump of the clock, files are dated in a distant past or future.
func TestAClockThatJumpsChangesNoBytesOfTheCache(t *testing.T) {
	site, cache := deflatingSiteOf(t, 16<<20), privateDir(t)
	want := rightChecksums(t, site)
	for _, size := range []string{"1GiB", cacheSizeArg} {
		m := mountSite(t, site.Dir(), "--cache-dir", cache, "--cache-size", size, "--memory", "4MiB")
		expectText(t, "checksums", checksums(t, m.dir), want)
		m.stop(t)
		for i, path := range segmentFiles(t, cache) {
			at := time.Unix(int64(i%2)<<32, 0) // 1970 or 2106
			must(t, os.Chtimes(path, at, at))
		}
	}
	if n := cachedBytes(cache); n == 0 || n > cacheLimit {
		t.Errorf("%d bytes are cached, the limit is %d", n, cacheLimit)
	}
}

// expectFewWarnings asks for one warning about cached segments at most.
func expectFewWarnings(t *testing.T, m *mount) {
	t.Helper()
	if n := strings.Count(m.log.String(), "segments are not cached on disk"); n > 1 {
		t.Errorf("%d warnings: %s", n, m.log)
	}
}
