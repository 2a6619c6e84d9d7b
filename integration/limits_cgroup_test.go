package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// memoryGroup is a control group whose processes may have so much memory together, with
// what the kernel caches of the files that they read and write.
type memoryGroup struct {
	dir string
	v2  bool
}

// newMemoryGroup makes a control group below that of the tests: of version 1 or 2,
// whichever counts memory on this host.
func newMemoryGroup(t *testing.T, limit int64) *memoryGroup {
	t.Helper()
	needRoot(t)
	parent, v2, err := hostGroups.memory()
	if err != nil { // there is nothing to blame
		t.Skipf("no control group for memory can be made here: %v", err)
	}
	if above, err := hostGroups.limit(parent); err != nil || above <= limit {
		t.Skipf("the control group %s has %d bytes for all, %v: a kill would not tell of the %d of this test", parent, above, err, limit)
	}
	g := &memoryGroup{dir: filepath.Join(parent, fmt.Sprintf("imgexportfs-test-%d-%d", os.Getpid(), limit>>20)), v2: v2}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Skipf("no control group for memory can be made here: %v", err)
	}
	t.Cleanup(func() {
		eventually(t, "the control group is empty", func() bool { return os.Remove(g.dir) == nil })
	})
	must(t, os.WriteFile(filepath.Join(g.dir, limitNames[v2]), []byte(strconv.FormatInt(limit, 10)), 0))
	return g
}

// add has a process run in the group from now on.
func (g *memoryGroup) add(t *testing.T, pid int) {
	t.Helper()
	must(t, os.WriteFile(g.procs(), []byte(strconv.Itoa(pid)), 0))
}

func (g *memoryGroup) procs() string { return filepath.Join(g.dir, "cgroup.procs") }

// run runs the program in the group.
func (g *memoryGroup) run(t *testing.T, dir string, args ...string) result {
	t.Helper()
	argv := append([]string{"bash", "-c", `echo $$ > "$0" && exec "$@"`, g.procs(), programFile}, args...)
	return process{args: argv, dir: dir, mayFail: true}.run(t)
}

// peak is the most memory that the group has had, the kernel's caches of files included.
func (g *memoryGroup) peak(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, map[bool]string{false: "memory.max_usage_in_bytes", true: "memory.peak"}[g.v2]))
	if os.IsNotExist(err) { // Linux before 5.19
		return 0
	}
	must(t, err)
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	must(t, err)
	return n
}

// expectNoKill fails the test if the kernel has killed a process for want of memory.
func (g *memoryGroup) expectNoKill(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, map[bool]string{false: "memory.oom_control", true: "memory.events"}[g.v2]))
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if name, n, _ := strings.Cut(strings.TrimSpace(line), " "); name == "oom_kill" && n != "0" {
			t.Errorf("the kernel has killed %s processes for want of memory", n)
		}
	}
}
