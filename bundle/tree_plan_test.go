package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle/source"
)

func walked(t *testing.T, root *source.Root) *Tree {
	t.Helper()
	tree, _, err := NewTree(context.Background(), root, "/", "rootimg")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// All that a host knows of a tree without reading is in its plan, also what no archive
// holds, such as fractions of a second.
func TestEveryChangeOfATreeIsAnotherPlan(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	top := root.Dir() + "/rootimg"
	writeFile(t, top+"/dir/file", []byte("x"))
	when := time.Unix(1_700_000_000, 5)
	if err := errors.Join(os.Chtimes(top+"/dir", when, when), os.Chtimes(top, when, when)); err != nil {
		t.Fatal(err)
	}
	before := walked(t, root)
	if again := walked(t, root); !again.Same(before) || again.plan != before.plan {
		t.Error("a tree is not the same as itself")
	}
	for name, change := range map[string]func() error{
		"a nanosecond of a directory": func() error { return os.Chtimes(top+"/dir", when.Add(1), when.Add(1)) },
		"the mode of a directory":     func() error { return os.Chmod(top+"/dir", 0o700) },
		"the owner of a directory":    func() error { return os.Chown(top+"/dir", 1, 0) },
		"the group of a directory":    func() error { return os.Chown(top+"/dir", 1, 1) },
	} {
		if err := change(); err != nil {
			t.Skipf("%s: %v", name, err)
		}
		after := walked(t, root)
		if after.plan == before.plan {
			t.Errorf("%s: the same plan", name)
		}
		if after.Same(before) {
			t.Errorf("%s: the same tree", name)
		}
		before = after
	}
}

func TestTheLargestFileOfAnArchiveIsTaken(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/rootimg/disk", nil)
	if err := os.Truncate(root.Dir()+"/rootimg/disk", cpioMaxFile); err != nil {
		t.Fatal(err)
	}
	if got := walked(t, root).nodes.bodySize(1); got != cpioMaxFile {
		t.Errorf("size %d", got)
	}
}

// Times have 32 bits without a sign in an archive.
func TestTimesThatAnArchiveCannotHoldAreTheNearest(t *testing.T) {
	for mtime, want := range map[int64]uint64{-1: 0, 0: 0, 1: 1, 1<<32 - 1: 1<<32 - 1, 1 << 32: 1<<32 - 1} {
		head := cpioHead(cpioEntry{name: "x", mtime: mtime})
		if got, err := strconv.ParseUint(string(head[6+5*8:6+6*8]), 16, 64); err != nil || got != want {
			t.Errorf("%d becomes %d, %v, want %d", mtime, got, err, want)
		}
	}
}

// Numbers come from names, and two names may have one. Two files must not become one for
// that.
func TestLinkedFilesWhoseNumbersCollideStayTwo(t *testing.T) {
	names := map[uint32]string{}
	var a, b string
	for i := 0; a == ""; i++ {
		name := fmt.Sprint("rootimg/", i)
		if other, taken := names[inodeOf(name)]; taken {
			a, b = other, name
		}
		names[inodeOf(name)] = name
	}
	node := func(name string, ino uint64) source.Node {
		return source.Node{Name: name, Stat: source.Stat{Identity: source.Identity{Ino: ino}, Mode: unix.S_IFREG, Nlink: 2}}
	}
	links := findLinks([]source.Node{node(a, 1), node(b, 2), node("rootimg/x", 1), node("rootimg/y", 2)})
	if links[0].ino == links[1].ino || links[0].ino != links[2].ino || links[1].ino != links[3].ino {
		t.Errorf("%s and %s: %+v", a, b, links)
	}
}
