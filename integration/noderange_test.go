package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// nodeSite has three nodes, each with a postscript of its own name.
func nodeSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	must(t, site.AddStateful("foo", nil, nil))
	for _, node := range []string{"n1", "n2", "n3"} {
		must(t, site.Insert("nodelist", xcatsite.Row{"node": node, "groups": "all"}))
		must(t, site.Insert("postscripts", xcatsite.Row{"node": node, "postscripts": "of-" + node}))
	}
	return site
}

// scriptsOf returns the postscripts in a manifest.
func scriptsOf(manifest []byte) string {
	_, rest, _ := strings.Cut(string(manifest), "<postscripts>")
	scripts, _, _ := strings.Cut(rest, "</postscripts>")
	return scripts
}

func TestNoderangesOfExportAndOfTheMount(t *testing.T) {
	site := nodeSite(t)
	must(t, site.Insert("site", xcatsite.Row{"key": "excludenodes", "value": "n1"}))
	must(t, site.WriteFile("/tmp/nodes", 0o644, []byte("# nodes\nn3 # the third\n")))
	m := mountSite(t, site.Dir())
	for noderange, want := range map[string]string{
		"all": "of-n2", "all,-n2": "of-n3", "n[1-3]": "of-n2", "(n1,n3)": "of-n3", "all@n3": "of-n3", "n2+1": "of-n2", `"n3"`: "of-n3",
		"/n[13]": "of-n3", "^/tmp/nodes": "of-n3", // not on a mount: no file name holds a slash
		"n1": "", "os==rhels9": "", "(?n)": "",
	} {
		work := t.TempDir()
		r := program(t, work, "export", "--root", site.Dir(), "foo", "-p", noderange)
		mounted := typesOf(t, m.dir, "@"+noderange)
		if want == "" {
			expectCode(t, r, 1)
			expectLines(t, "folder of "+noderange, mounted, nil)
			continue
		}
		expectCode(t, r, 0)
		expectText(t, noderange, scriptsOf(mustReadTarball(t, filepath.Join(work, "foo.tgz")).manifest), want)
		if !strings.Contains(noderange, "/") {
			manifest := run(t, "cat", m.path("@"+noderange+"/foo/manifest.xml"))
			expectText(t, "@"+noderange, scriptsOf([]byte(manifest)), want)
		}
	}
	// A file that the server would read is none that any user may name.
	must(t, site.WriteFile("/nodes", 0o644, []byte("n3\n")))
	expectLines(t, "@^nodes", typesOf(t, m.dir, "@^nodes"), nil)
	r := program(t, t.TempDir(), "export", "--root", site.Dir(), "foo", "-p", "nosuch,n3")
	expectCode(t, r, 0)
	expectContains(t, "stderr", r.stderr, `Warning: "nosuch" in the noderange nosuch,n3 stands for no node of the site`)
}

// A dynamic group has no nodes in nodelist. It is told from an unknown name by its row
// in nodegroup, from a dump as well.
func TestADynamicGroupIsRefusedByItsName(t *testing.T) {
	site := nodeSite(t)
	export := func(flags ...string) result {
		args := append([]string{"export", "--root", site.Dir(), "foo", "-p", "n1,gpu"}, flags...)
		return program(t, t.TempDir(), args...)
	}
	r := export()
	expectCode(t, r, 0)
	expectContains(t, "stderr", r.stderr, `"gpu" in the noderange n1,gpu stands for no node of the site`)

	m := mountSite(t, site.Dir(), "--refresh", "50ms")
	expectLines(t, "types", typesOf(t, m.dir, "@n1,gpu"), []string{"@n1,gpu directory"})
	must(t, site.Insert("nodegroup", xcatsite.Row{"groupname": "gpu", "grouptype": "dynamic", "wherevals": "mgt==ipmi"}))
	eventually(t, "the folder of a group that became dynamic goes", func() bool { return len(typesOf(t, m.dir, "@n1,gpu")) == 0 })
	expectCode(t, program(t, t.TempDir(), "dump", "--root", site.Dir(), site.Path("/dump")), 0)
	for _, flags := range [][]string{nil, {"--cfgloc", "CSV:/dump"}} {
		r := export(flags...)
		expectCode(t, r, 1)
		expectContains(t, "stderr", r.stderr, "noderange n1,gpu is refused as a whole: the group gpu is dynamic")
	}
}

// A hostile disk cannot have a file of the host read.
func TestAFileOfANoderangeIsBelowTheRoot(t *testing.T) {
	site := nodeSite(t)
	outside := filepath.Join(t.TempDir(), "nodes")
	run(t, "sh", "-c", `echo n3 >"$1"`, "sh", outside)
	run(t, "ln", "-s", outside, site.Path("/link"))
	run(t, "ln", "-s", strings.Repeat("../", 30)+outside, site.Path("/up"))
	for _, file := range []string{"/link", "/up", outside, strings.Repeat("../", 30) + outside} {
		r := program(t, t.TempDir(), "export", "--root", site.Dir(), "foo", "-p", "^"+file)
		expectCode(t, r, 1)
		expectContains(t, "stderr", r.stderr, "is not a valide node.")
	}
	must(t, site.WriteFile("/plain", 0o644, []byte("n3\n")))
	run(t, "mkfifo", site.Path("/fifo"))
	expectCode(t, program(t, t.TempDir(), "export", "--root", site.Dir(), "foo", "-p", "^/plain"), 0)
	r := program(t, t.TempDir(), "export", "--root", site.Dir(), "foo", "-p", "^/fifo,n1")
	expectQuick(t, r)
	expectCode(t, r, 1)
}
