package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mount whose server ends goes on: a copy in progress ends well, names and
// files are what they were, and it is logged once. New rows show when the server
// is back.
func testDBMountOutlivesItsServer(t *testing.T, s dbServer) {
	site := smallSite(t, 6<<20)
	loadSite(t, s, "mounted", site.Dir())
	m := mountSite(t, site.Dir(), "--refresh", "200ms", "--cfgloc", s.cfgloc("mounted"))
	want := strings.Fields(run(t, "sha256sum", m.path("bar.tgz")))[0]
	reader := hold(t, m.path("bar.tgz"), 1<<20)
	s.stop(t)
	if hash, errno := reader.rest(); hash != want {
		t.Errorf("the copy in progress ends with %q, %v, want %s", hash, errno, want)
	}
	for range 3 {
		expectContains(t, "ls", run(t, "ls", m.dir), "bar.tgz", "foo.tgz")
		expectText(t, "sum", strings.Fields(run(t, "sha256sum", m.path("bar.tgz")))[0], want)
		expectContains(t, "manifest", run(t, "cat", m.path("foo", "manifest.xml")), "<description>aaaa<")
	}
	eventually(t, "the loss is noticed", func() bool {
		run(t, "ls", m.dir)
		return strings.Contains(m.log.String(), "level=WARN")
	})
	s.start(t)
	s.exec(t, "mounted", "UPDATE osimage SET description = 'back' WHERE imagename = 'foo'")
	eventually(t, "the changed row shows", func() bool {
		return strings.Contains(run(t, "cat", m.path("foo", "manifest.xml")), "<description>back<")
	})
	s.exec(t, "mounted", "DELETE FROM osimage WHERE imagename = 'foo'")
	eventually(t, "the image without a row goes", func() bool {
		return !strings.Contains(run(t, "ls", m.dir), "foo.tgz")
	})
	log := m.log.String()
	if strings.Count(log, "level=WARN") != 1 || strings.Count(log, "can be read again") != 1 {
		t.Errorf("the log is to have one warning and one line when the server is back: %s", log)
	}
	expectContains(t, "the log", log, s.address())
	expectNoPassword(t, "the log", log)
}

// A password on the command line does not stay where ps shows it; in the file
// cfgloc, or a file that --cfgloc names, it never gets there.
func testDBPasswordStaysHidden(t *testing.T, s dbServer) {
	site := smallSite(t, 1000)
	loadSite(t, s, "hidden", site.Dir())
	cfgloc := s.cfgloc("hidden")
	hidden := func(what string, m *mount) {
		t.Helper()
		expectContains(t, what, run(t, "ls", m.dir), "bar.", "foo.")
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", m.cmd.Process.Pid))
		must(t, err)
		expectContains(t, what, string(line), "mount", "--root")
		expectNoPassword(t, what+", /proc/PID/cmdline", string(line))
		expectNoPassword(t, what+", ps", run(t, "ps", "-ww", "-o", "args", "-p", fmt.Sprint(m.cmd.Process.Pid)))
		expectNoPassword(t, what+", log", m.log.String())
		m.stop(t)
	}
	hidden("two words", mountSite(t, site.Dir(), "--cfgloc", cfgloc))
	hidden("one word", mountSite(t, site.Dir(), "--cfgloc="+cfgloc, "--debug"))
	hidden("the environment", mountSiteEnv(t, "/", []string{"XCATCFG=" + cfgloc}))
	must(t, site.WriteFile("/root/my-cfgloc", 0o600, []byte(cfgloc+"\n")))
	hidden("a file", mountSite(t, site.Dir(), "--cfgloc", "/root/my-cfgloc"))
	must(t, site.WriteFile("/etc/xcat/cfgloc", 0o600, []byte(cfgloc+"\n")))
	hidden("xCAT's file", mountSite(t, site.Dir()))
}

// Service nodes that share the files and the rows serve the same bundles,
// whatever else is different between them, so that a transfer begun at one can
// go on at another.
func testDBScaleOut(t *testing.T, servers []dbServer) {
	site := bulkSite(t)
	nodes := make([]*mount, len(servers))
	surroundings := [][]string{
		{"TZ=Asia/Tokyo", "HOME=/", "LC_ALL=C", "GOMAXPROCS=1", "USER=root"},
		{"TZ=America/St_Johns", "HOME=/nonexistent", "LC_ALL=C.UTF-8", "GOMAXPROCS=2", "USER=xcat"},
	}
	for i, s := range servers {
		loadSite(t, s, "scale", site.Dir())
		env := append(surroundings[i], "IMGEXPORTFS_CACHE_DIR="+t.TempDir())
		nodes[i] = mountSiteEnv(t, site.Dir(), env, "--cfgloc", s.cfgloc("scale"), "-o", []string{"umask=077", "umask=022"}[i])
	}
	one, two := nodes[0], nodes[1]
	for _, image := range bulkImages {
		name := image + ".tgz"
		stat := func(m *mount) string { return run(t, "stat", "-c", "%s bytes, %b blocks, %y", m.path(name)) }
		expectText(t, name+", stat", stat(two), stat(one))
		run(t, "cmp", one.path(name), two.path(name))
		run(t, "cmp", one.path(name+".sha256"), two.path(name+".sha256"))
		resumed := filepath.Join(t.TempDir(), name)
		shell(t, "/", `head -c 1500001 "$1" > "$3"; tail -c +1500002 "$2" >> "$3"; cmp "$1" "$3"`, one.path(name), two.path(name), resumed)
	}
	needTools(t, "rsync")
	work := t.TempDir()
	shell(t, work, `head -c 9000000 "$1/stateless.tgz" > stateless.tgz; rsync -a --append-verify "$2/stateless.tgz" .; cmp stateless.tgz "$1/stateless.tgz"`, one.dir, two.dir)
	got := run(t, "rsync", "-rt", "--itemize-changes", one.path("stateless.tgz"), work)
	expectText(t, "rsync from the first node after the second", got, "")
}
