package source

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
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

func TestEveryWalkFindsTheSameInOrder(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	want := growTree(t, r, root.Dir()+"/rootimg", "rootimg", 5)
	t.Logf("%d files", len(want))
	first, marked := "", 0
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
		marked++
		if first == "" {
			first = name
		}
	}
	for range 20 { // who finds what differs from walk to walk
		nodes, findings, err := Walk(context.Background(), root, "/", "rootimg")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, n := range nodes {
			names = append(names, n.Name)
		}
		if !slices.Equal(names, want) {
			t.Fatalf("a walk finds\n%q, not\n%q", names, want)
		}
		if first == "" {
			continue
		}
		if len(findings) != 1 || !strings.Contains(findings[0], fmt.Sprintf("user.note of %d files", marked)) || !strings.HasSuffix(findings[0], "(first: "+first+")") {
			t.Errorf("findings %q, want %d files and first %s", findings, marked, first)
		}
	}
}

func TestAWalkThatIsInterruptedEndsEverywhere(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	for i := range 20 {
		writeFile(t, fmt.Sprintf("%s/rootimg/d%d/d/f", root.Dir(), i), nil)
	}
	// The top is walked, and nothing below it.
	ctx := &endsAfter{Context: context.Background(), left: 1}
	if _, _, err := Walk(ctx, root, "", "rootimg"); err != context.Canceled {
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
