package integration

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// holder is a child that has a file open, has read its first bytes, and reads
// the rest when told to.
type holder struct {
	t    *testing.T
	stop func()
	in   *os.File
	out  *bufio.Reader
}

// hold starts a holder on a file.
func hold(t *testing.T, path string, first int64) *holder {
	t.Helper()
	inRead, inWrite, err := os.Pipe()
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p := helperProcess(t, "hold", path, strconv.FormatInt(first, 10))
	p.stdin = inRead
	cmd := p.command(ctx)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	must(t, inRead.Close())
	h := &holder{t: t, in: inWrite, out: bufio.NewReader(stdout)}
	h.stop = func() {
		cancel()
		_ = inWrite.Close()
		_ = cmd.Wait()
	}
	t.Cleanup(h.stop)
	if line := h.line(); line != "ready" {
		t.Fatalf("the holder of %s says %q", path, line)
	}
	return h
}

func (h *holder) line() string {
	h.t.Helper()
	line, err := h.out.ReadString('\n')
	if err != nil {
		h.t.Fatalf("the holder is gone: %v", err)
	}
	return strings.TrimSpace(line)
}

// rest makes the holder read to the end: the hash of everything, or the
// error number that stopped it.
func (h *holder) rest() (hash string, errno syscall.Errno) {
	h.t.Helper()
	_, err := h.in.WriteString("go\n")
	must(h.t, err)
	fields := strings.Fields(h.line())
	if len(fields) == 3 && fields[0] == "failed" {
		n, err := strconv.Atoi(fields[1])
		must(h.t, err)
		return "", syscall.Errno(n)
	}
	return fields[1], 0
}

// A reader who has a bundle open while a source changes gets an error in the
// end, and never bytes of two states. Who opens it again gets the new state,
// under another inode number and with another size or time.
func TestChangedSourceFailsTheOpenReader(t *testing.T) {
	t.Parallel()
	const size = 48 << 20
	changes := map[string]func(t *testing.T, path string){
		"rewritten in place": func(t *testing.T, path string) {
			must(t, os.WriteFile(path, xcatsite.Noise("other", size), 0o600))
		},
		"replaced by rename": func(t *testing.T, path string) {
			must(t, os.WriteFile(path+".new", xcatsite.Noise("other", size), 0o600))
			must(t, os.Rename(path+".new", path))
		},
		"same size and time": func(t *testing.T, path string) {
			must(t, os.WriteFile(path, xcatsite.Noise("other", size), 0o600))
			must(t, os.Chtimes(path, xcatsite.Epoch, xcatsite.Epoch))
		},
		"cut short": func(t *testing.T, path string) { must(t, os.Truncate(path, size/2)) },
		"removed":   func(t *testing.T, path string) { must(t, os.Remove(path)) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			site := smallSite(t, size)
			m := mountSite(t, site.Dir(), "--refresh", "100ms")
			before := statOne(t, m.path("bar.tgz"))
			reader := hold(t, m.path("bar.tgz"), 200_000)
			change(t, site.Path(xcatsite.ProfileDir("bar")+"/rootimg.cpio.gz"))
			if hash, errno := reader.rest(); errno != syscall.ESTALE && errno != syscall.EIO {
				t.Errorf("the open reader got error %d (%v), hash %s; want ESTALE or EIO", errno, errno, hash)
			}
			if name == "removed" {
				expectGone(t, m, "bar")
				return
			}
			expectNewVersion(t, m.path("bar.tgz"), before, name == "same size and time")
		})
	}
}

// expectNewVersion waits for another version of a bundle than that with the
// attributes before, and reads it to its end.
func expectNewVersion(t *testing.T, path string, before attributes, quiet bool) {
	t.Helper()
	var after attributes
	eventually(t, "the new version shows", func() bool {
		after = statOne(t, path)
		return after.inode != before.inode
	})
	// A rewrite that forges size and time cannot show in them: both are
	// pure functions of what stat says of the sources.
	if !quiet && after.size == before.size && after.mtime == before.mtime {
		t.Errorf("size and time are still %d and %d", after.size, after.mtime)
	}
	shell(t, "", `cat "$1" | tar -tzf - > /dev/null`, path)
	if got := strings.TrimSpace(shell(t, "", `cat "$1" | wc -c`, path)); got != strconv.FormatInt(after.size, 10) {
		t.Errorf("stat says %d bytes, reading gives %s", after.size, got)
	}
}

// expectGone waits until an image has no bundle and says why.
func expectGone(t *testing.T, m *mount, image string) {
	t.Helper()
	eventually(t, "the bundle goes and .errors comes", func() bool {
		files := typesOf(t, m.dir, image, image+".tgz", image+".tgz.sha256", image+".errors")
		return strings.Join(files, ", ") == image+" directory, "+image+".errors regular file"
	})
	expectContains(t, image+".errors", run(t, "cat", m.path(image+".errors")), "Error: Couldn't find compressed rootimg for "+image)
}

// A reader of a bundle that does not change gets all of it, also while the
// server looks at the tables over and over.
func TestUnchangedBundleSurvivesRefreshes(t *testing.T) {
	site := smallSite(t, 8<<20)
	m := mountSite(t, site.Dir(), "--refresh", "10ms")
	before := statOne(t, m.path("bar.tgz"))
	reader := hold(t, m.path("bar.tgz"), 100_000)
	for range 20 {
		listing(t, m.dir)
		must(t, site.Exec("site", `INSERT OR REPLACE INTO site (key, value) VALUES ('tick', ?)`, fmt.Sprint(time.Now())))
	}
	hash, errno := reader.rest()
	if want := strings.Fields(run(t, "sha256sum", m.path("bar.tgz")))[0]; errno != 0 || hash != want {
		t.Errorf("the open reader got %s, error %d; want %s", hash, errno, want)
	}
	if after := statOne(t, m.path("bar.tgz")); after != before {
		t.Errorf("the bundle is now %+v, was %+v", after, before)
	}
}

// A row that changes without changing its length shows in size or whole
// seconds of the time: rsync's quick check looks at nothing else.
func TestChangedRowOfEqualLengthShows(t *testing.T) {
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir(), "--refresh", "100ms")
	last := statOne(t, m.path("foo.tgz"))
	for i, value := range []string{"bbbb", "cccc", "dddd", "aaaa", "abab", "baba"} {
		must(t, site.Exec("osimage", `UPDATE osimage SET description = ? WHERE imagename = 'foo'`, value))
		var now attributes
		eventually(t, "change "+strconv.Itoa(i)+" shows in the inode", func() bool {
			now = statOne(t, m.path("foo.tgz"))
			return now.inode != last.inode
		})
		if now.size == last.size && now.mtime == last.mtime {
			t.Errorf("description %q: size and time are still %d and %d", value, now.size, now.mtime)
		}
		expectContains(t, "manifest", run(t, "cat", m.path("foo", "manifest.xml")), "<description>"+value+"</description>")
		expectContains(t, "manifest in the bundle", shell(t, "", `tar -xzOf "$1" ./foo/manifest.xml`, m.path("foo.tgz")), value)
		last = now
	}
}

// A change inside a statelite tree shows, whatever it is.
func TestChangeInATreeShows(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	root := site.TreeDir("lite")
	must(t, site.WriteFile(root+"/etc/motd", 0o644, []byte("hello")))
	must(t, os.Symlink("motd", site.Path(root+"/etc/link")))
	m := mountSite(t, site.Dir(), "--refresh", "100ms")
	last, missed := statOne(t, m.path("lite.tgz")), 0
	for _, change := range []struct {
		name string
		make func() error
	}{
		{"new file", func() error { return site.WriteFile(root+"/etc/issue", 0o644, []byte("i")) }},
		{"mode", func() error { return os.Chmod(site.Path(root+"/etc/motd"), 0o600) }},
		{"owner", func() error { return os.Chown(site.Path(root+"/etc/motd"), 1, 1) }},
		{"time", func() error { return site.Touch(root+"/etc/motd", xcatsite.Epoch.Add(time.Hour)) }},
		{"content", func() error { return os.WriteFile(site.Path(root+"/etc/motd"), []byte("HELLO"), 0o600) }},
		{"link", func() error { return relink("issue", site.Path(root+"/etc/link")) }},
		{"hard link", func() error { return os.Link(site.Path(root+"/etc/motd"), site.Path(root+"/motd2")) }},
		{"removed", func() error { return os.Remove(site.Path(root + "/etc/issue")) }},
	} {
		must(t, change.make())
		var now attributes
		eventually(t, change.name+" shows", func() bool {
			now = statOne(t, m.path("lite.tgz"))
			return now.inode != last.inode
		})
		if now.size == last.size && now.mtime == last.mtime {
			t.Logf("%s: size and time are still %d and %d", change.name, now.size, now.mtime)
			missed++
		}
		last = now
	}
	// Within one second it is the padding that shows a change, and that is
	// by chance the same once in 1024 times.
	if missed > 1 {
		t.Errorf("%d changes show neither in the size nor in the time", missed)
	}
}

// relink points a link elsewhere.
func relink(target, path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.Symlink(target, path)
}

// Files that change all the time give a whole bundle or an error, never a
// broken one. The changes come in bursts: during one a read may fail, and in the
// pause behind it a read must succeed.
func TestBusySourcesNeverGiveABrokenBundle(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	site := smallSite(t, size)
	m := mountSite(t, site.Dir(), "--refresh", "20ms")
	path := site.Path(xcatsite.ProfileDir("bar") + "/rootimg.cpio.gz")
	states := map[string]bool{}
	var contents [][]byte
	for _, seed := range []string{"rootimg", "state 1", "state 2"} { // the first is what smallSite made
		data := xcatsite.Noise(seed, size)
		contents = append(contents, data)
		states[fmt.Sprintf("%x", sha256.Sum256(data))] = true
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-time.After(busyPause(i)):
			}
			if err := replaceFile(path, contents[i%len(contents)]); err != nil {
				stopped <- err
				return
			}
		}
	}()
	whole, failed := map[string]int{}, 0
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); {
		r := process{args: []string{"bash", "-euo", "pipefail", "-c",
			`cat "$1" | tar -xzO -f - ./bar/rootimg.cpio.gz | sha256sum`, "bash", m.path("bar.tgz")}, mayFail: true}.run(t)
		switch {
		case r.code != 0:
			failed++
		case !states[strings.Fields(r.stdout)[0]]:
			t.Fatalf("a bundle holds a root image that never was: %s", r.stdout)
		default:
			whole[strings.Fields(r.stdout)[0]]++
		}
	}
	close(stop)
	must(t, <-stopped)
	t.Logf("whole bundles: %v, errors: %d", whole, failed)
	if len(whole) < 2 {
		t.Errorf("in all pauses only %d of %d states were read as a whole", len(whole), len(states))
	}
	eventually(t, "the bundle is whole once the sources rest", func() bool {
		return process{args: []string{"tar", "-xzOf", m.path("bar.tgz")}, mayFail: true}.run(t).code == 0
	})
}

// busyPause is how long to wait before change i: one in eight comes after a pause.
func busyPause(i int) time.Duration {
	if i%8 == 7 {
		return time.Second
	}
	return 40 * time.Millisecond
}

// replaceFile renames a new file over path, as a careful packimage does.
func replaceFile(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
