package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// growing appends to a file all the time, as the writer of a log does, until
// the function returned is called.
func growing(t *testing.T, path string) (stop func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	ended := busy(t, func(int) error {
		_, err := f.WriteString("one more line\n")
		return err
	})
	return func() {
		ended()
		must(t, f.Close())
	}
}

// busy calls change over and over, with the number of the call, until the
// function returned is called.
func busy(t *testing.T, change func(i int) error) (stop func()) {
	quit, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-quit:
				ended <- nil
				return
			case <-time.After(200 * time.Microsecond):
			}
			if err := change(i); err != nil {
				ended <- err
				return
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(quit)
		if err := <-ended; err != nil {
			t.Errorf("the writer has failed: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// coming makes files in a directory and removes them all the time, as a package
// manager does, until the function returned is called.
func coming(t *testing.T, dir string) (stop func()) {
	t.Helper()
	return busy(t, func(i int) error {
		path := filepath.Join(dir, fmt.Sprintf("temporary-%d", i%7))
		if i/7%2 == 1 {
			return os.Remove(path)
		}
		return os.WriteFile(path, []byte("t"), 0o644)
	})
}

// A source that is written all the time does not make the bundle vanish:
// rsync --delete would remove the copy that is good. A look may fail, but not
// with "no such file", and when the writer has stopped the bundle is right.
func TestBundleKeepsItsNameWhileASourceIsWritten(t *testing.T) {
	needTools(t, "cpio")
	const refresh, duration = 50 * time.Millisecond, 5 * time.Second
	site := newSite(t)
	for _, image := range []string{"tree", "names"} {
		must(t, site.AddStatelite(image, []byte(image+" kernel"), []byte(image+" ramdisk")))
	}
	must(t, site.AddStateful("file", nil, nil))
	template, log := "/install/custom/install/rh/file.tmpl", site.TreeDir("tree")+"/var/log/messages"
	must(t, site.WriteFile(template, 0o644, xcatsite.Text("template", 3<<20)))
	must(t, site.WriteFile(log, 0o644, xcatsite.Text("log", 1<<20)))
	must(t, site.WriteFile(site.TreeDir("names")+"/tmp/messages", 0o644, []byte("hello")))
	const inTree = `tar -xzOf "$1" "./$2/rootimgtree.gz" | zcat | cpio --quiet -i --to-stdout "rootimg/*/messages"`
	cases := []struct {
		image, source string // the file that the last look compares
		write         func(t *testing.T, path string) (stop func())
		busy          string // what is written
		extract       string
	}{
		{"file", template, growing, template, `tar -xzOf "$1" "./$2/file.tmpl"`},
		{"tree", log, growing, log, inTree},
		{"names", site.TreeDir("names") + "/tmp/messages", coming, site.TreeDir("names") + "/tmp", inTree},
	}
	m := mountSite(t, site.Dir(), "--refresh", refresh.String())
	for _, c := range cases {
		t.Run(c.image, func(t *testing.T) {
			t.Parallel()
			stop := c.write(t, site.Path(c.busy))
			seen := watcher(t, m.dir, c.image+".tgz", duration)()
			stop()
			stopped := time.Now()
			t.Logf("%+v", seen)
			seen.expectName(t)
			want, err := os.ReadFile(site.Path(c.source))
			must(t, err)
			within(t, "the bundle holds the last state", stopped.Add(refresh+time.Second), func() bool {
				args := []string{"bash", "-euo", "pipefail", "-c", c.extract, "bash", m.path(c.image + ".tgz"), c.image}
				r := process{args: args, mayFail: true}.run(t)
				return r.code == 0 && r.stdout == string(want)
			})
		})
	}
}

// expectName asks for a name that was there at every look, whatever could be
// read of the file.
func (s sightings) expectName(t *testing.T) {
	t.Helper()
	if s.Unlisted > 0 || s.Looks == 0 {
		t.Errorf("%d of %d listings lack the bundle", s.Unlisted, s.Looks)
	}
	for what, results := range map[string]map[string]int{"stat": s.Stats, "read": s.Reads} {
		for text, n := range results {
			switch text {
			case "ok", syscall.ESTALE.Error(), syscall.EIO.Error():
			default:
				t.Errorf("%s ends with %q %d times", what, text, n)
			}
		}
	}
}

// slack is how much later than promised something may show on a machine that
// is busy with other tests.
const slack = 500 * time.Millisecond

// within polls until ok is true. Looking takes time as well, so what is seen by
// a look that began in time counts.
func within(t *testing.T, what string, deadline time.Time, ok func() bool) {
	t.Helper()
	for {
		began := time.Now()
		if ok() {
			if late := began.Sub(deadline); late > slack {
				t.Errorf("%v too late: %s", late, what)
			}
			return
		}
		if began.After(deadline.Add(10 * time.Second)) {
			t.Fatalf("not even 10 s after the deadline: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// However long the refresh interval is, an open bundle whose source has
// changed gives an error at the latest to the next who opens it, and the open
// after that error gives the new version.
func TestErrorOfAChangedBundleLeadsToTheNewVersion(t *testing.T) {
	const size = 24 << 20
	site := smallSite(t, size)
	m := mountSite(t, site.Dir(), "--refresh", "1h")
	reader := hold(t, m.path("bar.tgz"), 200_000)
	source := site.Path(xcatsite.ProfileDir("bar") + "/rootimg.cpio.gz")
	must(t, replaceFile(source, xcatsite.Noise("other", size)))
	if hash, errno := reader.rest(); errno != syscall.ESTALE {
		t.Errorf("the open reader got error %d (%v), hash %s; want ESTALE", errno, errno, hash)
	}
	const read = `tar -xzOf "$1" ./bar/rootimg.cpio.gz | cmp - "$2"`
	args := []string{"bash", "-euo", "pipefail", "-c", read, "bash", m.path("bar.tgz"), source}
	first := process{args: args, mayFail: true}.run(t)
	if first.code == 0 {
		return
	}
	expectContains(t, "the first open after the error", first.stderr+first.stdout, "Stale file handle")
	if second := (process{args: args, mayFail: true}).run(t); second.code != 0 {
		t.Errorf("the second open after the error: %s", second.stderr)
	}
}

// A small bundle is in the kernel's cache as a whole, so no read may tell that
// its source has changed: the open must.
func TestOpenOfASmallChangedBundleIsNotTheOldOne(t *testing.T) {
	site := smallSite(t, 1000)
	template := "/install/custom/install/rh/foo.tmpl"
	m := mountSite(t, site.Dir(), "--refresh", "1h")
	must(t, site.WriteFile(template, 0o644, []byte("old")))
	extract := []string{"tar", "-xzOf", m.path("foo.tgz"), "./foo/foo.tmpl"}
	expectText(t, "the template", run(t, extract...), "old")
	must(t, os.WriteFile(site.Path(template), []byte("new text"), 0o644))
	for try := range 3 {
		r := process{args: extract, mayFail: true}.run(t)
		switch {
		case r.code == 0 && r.stdout == "new text":
			return
		case r.code == 0:
			t.Fatalf("open %d after the change gives %q", try+1, r.stdout)
		}
		expectContains(t, "the error", strings.ToLower(r.stderr), "stale file handle")
	}
	t.Error("three opens after the change have failed")
}
