package integration

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// cgroups is where a host shows its control groups. Of version 1 each controller has a
// hierarchy of its own, of version 2 all share one. A hybrid host has both, and then memory
// is most often of version 1.
type cgroups struct {
	own string // the file that says in which groups this process is
	sys string // the directory with the hierarchies
}

var hostGroups = cgroups{"/proc/self/cgroup", "/sys/fs/cgroup"}

// limitNames are the files that hold the limit of a group, of version 2 or not.
//
// There is memory.high in version 2 as well, which does not count here: the kernel slows
// down a group that has more and takes back what it can, and kills nothing.
var limitNames = map[bool]string{false: "memory.limit_in_bytes", true: "memory.max"}

// memory returns the directory where groups for memory can be made: of version 1 the group
// of this process, of version 2 the top of what is mounted, because a group that has
// processes of its own cannot divide its memory there.
func (c cgroups) memory() (parent string, v2 bool, err error) {
	own, err := os.ReadFile(c.own)
	if err != nil {
		return "", false, err
	}
	for line := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) == 3 && strings.Contains(","+fields[1]+",", ",memory,") {
			parent, err := c.mounted(filepath.Join(c.sys, "memory"), fields[2])
			return parent, false, err
		}
	}
	enabled, err := os.ReadFile(c.sys + "/cgroup.subtree_control")
	if err == nil && !strings.Contains(" "+strings.TrimSpace(string(enabled))+" ", " memory ") {
		err = fmt.Errorf("%s does not divide memory", c.sys)
	}
	return c.sys, true, err
}

// mounted returns the directory of a group in a hierarchy. A container may have mounted no
// more than its own group, whatever the file says that it is called; and a process that is
// outside of its namespace of groups is in /../NAME.
func (c cgroups) mounted(hierarchy, group string) (string, error) {
	for _, dir := range []string{filepath.Join(hierarchy, group), hierarchy} {
		if strings.HasPrefix(group+"/", "/../") {
			dir = hierarchy
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
	}
	return "", fmt.Errorf("%s: %w", hierarchy, fs.ErrNotExist)
}

// limit returns how much memory a group may have, which is the least of its own limit and
// of those of the groups that it is in, as far as they are mounted.
func (c cgroups) limit(dir string) (least int64, err error) {
	least = math.MaxInt64
	for ; strings.HasPrefix(dir, c.sys); dir = filepath.Dir(dir) {
		for _, name := range limitNames {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue // the top of a hierarchy has none in version 2
			}
			n, errN := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			switch {
			case err == nil && strings.TrimSpace(string(text)) == "max":
			case cmp.Or(err, errN) != nil:
				return 0, fmt.Errorf("%s/%s: %w", dir, name, cmp.Or(err, errN))
			default:
				least = min(least, n)
			}
		}
	}
	return least, nil
}

// The control groups of a host are understood in each way in which they may be mounted.
func TestControlGroupsOfEachVersionAreFound(t *testing.T) {
	const none = math.MaxInt64
	for name, test := range map[string]struct {
		own    string            // what /proc/self/cgroup says
		files  map[string]string // below /sys/fs/cgroup
		parent string            // below it; "none" if there is none
		v2     bool
		limit  int64
	}{
		"version 1": {
			"9:memory:/user.slice\n8:cpu,cpuacct:/\n", map[string]string{"memory/user.slice/memory.limit_in_bytes": "9223372036854771712\n", "memory/memory.limit_in_bytes": "9223372036854771712\n"},
			"memory/user.slice", false, 9223372036854771712,
		},
		"version 1, the limit of a group above": {
			"9:memory:/a/b\n", map[string]string{"memory/a/b/memory.limit_in_bytes": "9223372036854771712\n", "memory/a/memory.limit_in_bytes": "1000\n", "memory/memory.limit_in_bytes": "9223372036854771712\n"},
			"memory/a/b", false, 1000,
		},
		"version 1, with other controllers":         {"4:memory,hugetlb:/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "5\n"}, "memory/a", false, 5},
		"version 1, a container's own group alone":  {"9:memory:/docker/0123\n", map[string]string{"memory/memory.limit_in_bytes": "5\n"}, "memory", false, 5},
		"version 1, outside of the namespace":       {"9:memory:/../x\n", map[string]string{"memory/memory.limit_in_bytes": "5\n", "x/memory.limit_in_bytes": "1\n"}, "memory", false, 5},
		"version 1, a colon in the name of a group": {"9:memory:/a:b\n", map[string]string{"memory/a:b/memory.limit_in_bytes": "5\n"}, "memory/a:b", false, 5},
		"version 1, not mounted":                    {"9:memory:/a\n", nil, "none", false, 0},
		"hybrid, memory is of version 1": {
			"9:memory:/a\n1:name=systemd:/a\n0::/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "5\n", "unified/a/cgroup.controllers": "", "unified/cgroup.subtree_control": ""},
			"memory/a", false, 5,
		},
		"hybrid, memory is nowhere": {"1:name=systemd:/a\n0::/a\n", map[string]string{"unified/cgroup.subtree_control": "\n"}, "none", true, 0},
		"version 2": {
			"0::/user.slice/session-1.scope\n", map[string]string{"cgroup.subtree_control": "cpuset cpu io memory hugetlb pids\n", "user.slice/session-1.scope/memory.max": "7\n"},
			"", true, none, // the top, which has no limit
		},
		"version 2, a container in a namespace": {
			"0::/\n", map[string]string{"cgroup.subtree_control": "memory\n", "memory.max": "1000\n", "memory.high": "10\n"},
			"", true, 1000, // memory.high does not count
		},
		"version 2, a container without a limit": {"0::/\n", map[string]string{"cgroup.subtree_control": "memory pids\n", "memory.max": "max\n", "memory.high": "10\n"}, "", true, none},
		"version 2, outside of the namespace":    {"0::/../x\n", map[string]string{"cgroup.subtree_control": "memory\n", "memory.max": "5\n"}, "", true, 5},
		"version 2, a group with processes":      {"0::/\n", map[string]string{"cgroup.subtree_control": "\n", "memory.max": "5\n"}, "none", true, 0},
		"version 2, another kind of memory":      {"0::/\n", map[string]string{"cgroup.subtree_control": "memory_recursiveprot\n"}, "none", true, 0},
		"version 2, not mounted":                 {"0::/\n", nil, "none", true, 0},
		"no control groups":                      {"", nil, "none", true, 0},
	} {
		c := cgroups{filepath.Join(t.TempDir(), "cgroup"), t.TempDir()}
		must(t, os.WriteFile(c.own, []byte(test.own), 0o600))
		for file, text := range test.files {
			file = filepath.Join(c.sys, file)
			must(t, os.MkdirAll(filepath.Dir(file), 0o755))
			must(t, os.WriteFile(file, []byte(text), 0o600))
		}
		parent, v2, err := c.memory()
		if (err != nil) != (test.parent == "none") || err == nil && parent != filepath.Join(c.sys, test.parent) || v2 != test.v2 {
			t.Errorf("%s: %q, version 2 %v, %v; want %q", name, parent, v2, err, test.parent)
			continue
		}
		if err != nil {
			continue
		}
		if limit, err := c.limit(parent); err != nil || limit != test.limit {
			t.Errorf("%s: a limit of %d, %v; want %d", name, limit, err, test.limit)
		}
	}
}

// Limits of groups below the top, which the groups of the tests do not have.
func TestALimitOfAControlGroupIsTheLeastOfThoseAbove(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  int64 // -1: an error
	}{
		"its own":        {map[string]string{"a/memory.max": "90\n", "a/b/memory.max": "70\n"}, 70},
		"one above":      {map[string]string{"a/memory.max": "50\n", "a/b/memory.max": "max\n"}, 50},
		"a missing file": {map[string]string{"a/memory.max": "50\n", "a/b/memory.high": "1\n"}, 50},
		"none":           {map[string]string{"a/memory.max": "max\n", "a/b/memory.max": "max\n"}, math.MaxInt64},
		"no number":      {map[string]string{"a/memory.max": "much\n"}, -1},
	} {
		c := cgroups{"", t.TempDir()}
		must(t, os.MkdirAll(filepath.Join(c.sys, "a/b"), 0o755))
		for file, text := range test.files {
			must(t, os.WriteFile(filepath.Join(c.sys, file), []byte(text), 0o600))
		}
		got, err := c.limit(filepath.Join(c.sys, "a/b"))
		if (err != nil) != (test.want == -1) || err == nil && got != test.want {
			t.Errorf("%s: %d, %v; want %d", name, got, err, test.want)
		}
	}
}
