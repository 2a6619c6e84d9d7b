package bundle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// growTree makes a random tree at path, whose names below are in the order of
// a walk that takes one file after the other.
func growTree(t *testing.T, r *rand.Rand, path, name string, depth int) (names []string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	names = []string{name}
	var bases []string
	for range r.IntN(12) {
		// A name and what is longer, around the slash that a directory adds.
		bases = append(bases, string(rune('a'+r.IntN(4)))+[]string{"", ".b", "0", "-"}[r.IntN(4)])
	}
	slices.Sort(bases)
	for _, base := range slices.Compact(bases) {
		below := path + "/" + base
		switch kind := r.IntN(5); {
		case kind < 3 && depth > 0:
			names = append(names, growTree(t, r, below, name+"/"+base, depth-1)...)
			continue
		case kind == 3:
			if err := os.Symlink("..", below); err != nil {
				t.Fatal(err)
			}
		default:
			writeFile(t, below, []byte(base))
		}
		names = append(names, name+"/"+base)
	}
	return names
}

func TestAWalkFindsTheSameOnOneGoroutineAndOnMany(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	want := growTree(t, r, root.Dir()+"/rootimg", "rootimg", 5)
	t.Logf("%d files", len(want))
	first := ""
	for i, name := range want {
		st, err := root.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 || st.IsSymlink() || r.IntN(3) > 0 {
			continue
		}
		if err := unix.Setxattr(root.Dir()+"/"+name, "user.note", []byte("x"), 0); err != nil {
			t.Skipf("no extended attributes here: %v", err)
		}
		if first == "" {
			first = name
		}
	}
	var alone *findings
	for _, walkers := range []int{1, 2, 8, 100} {
		found, err := newWalk(root, "/", walkers).run(context.Background(), "rootimg")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, n := range found.nodes {
			names = append(names, n.name)
		}
		if !slices.Equal(names, want) {
			t.Fatalf("%d goroutines find\n%q, not\n%q", walkers, names, want)
		}
		if l := found.lost["user.note"]; l != nil && l.first != first {
			t.Errorf("%d goroutines find the first attribute at %s, not %s", walkers, l.first, first)
		}
		if alone == nil {
			alone = found
		}
		if !reflect.DeepEqual(found, alone) {
			t.Errorf("%d goroutines find something else than one", walkers)
		}
	}
}

func TestTheArchiveIsLaidOutAsItsHeadersAreLong(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	growTree(t, r, root.Dir()+"/rootimg", "rootimg", 4)
	writeFile(t, root.Dir()+"/rootimg/"+strings.Repeat("n", 1+r.IntN(200)), noise(r, r.IntN(2000)))
	tree, _, err := NewTree(context.Background(), root, "/", "rootimg")
	if err != nil {
		t.Fatal(err)
	}
	made, err := newStream(tree.nodes)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tree.stream.starts, made.starts) {
		t.Errorf("%v, where the headers say %v", tree.stream.starts, made.starts)
	}
}

func TestTheErrorOfAWalkIsTheFirstInOrder(t *testing.T) {
	for name, huge := range map[string][]string{
		// One goroutine meets the last one first.
		"deep before top": {"rootimg/b/c/d/e/huge", "rootimg/z-huge"},
		"top before deep": {"rootimg/a-huge", "rootimg/b/huge"},
		"two deep ones":   {"rootimg/b/c/d/e/f/huge", "rootimg/c/huge"},
		"one file":        {"rootimg/b/x", "rootimg/b/y"},
	} {
		t.Run(name, func(t *testing.T) {
			root := siteRoot(t, t.TempDir())
			for _, path := range huge {
				writeFile(t, root.Dir()+"/"+path, nil)
				if err := os.Truncate(root.Dir()+"/"+path, 4<<30); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 20 {
				_, _, err := NewTree(context.Background(), root, "", "rootimg")
				if err == nil || !strings.HasPrefix(err.Error(), huge[0]+" has") {
					t.Fatalf("walk %d: %v", i, err)
				}
			}
		})
	}
}

func TestAWalkThatIsInterruptedEndsEverywhere(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	for i := range 20 {
		writeFile(t, fmt.Sprintf("%s/rootimg/d%d/d/f", root.Dir(), i), nil)
	}
	// The top is walked, and nothing below it.
	ctx := &endsAfter{Context: context.Background(), left: 1}
	w := newWalk(root, "", 1)
	if _, err := w.run(ctx, "rootimg"); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

// endsAfter is a context that ends when it has been looked at so often.
type endsAfter struct {
	context.Context
	left int
}

func (c *endsAfter) Err() error {
	if c.left == 0 {
		return context.Canceled
	}
	c.left--
	return nil
}
