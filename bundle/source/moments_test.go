package source

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
)

// changing is a context that changes something when it is looked at for the n-th time.
type changing struct {
	context.Context
	change func()

	mu   sync.Mutex // guards left
	left int
}

func (c *changing) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		c.change()
	}
	return c.Context.Err()
}

// A tree that is changed at any moment of a walk is found as it was before or after the
// change, or not at all. Each moment comes twice, for several directories are looked at
// at a time, in no order.
func TestATreeIsWalkedAsItWasAtOneMoment(t *testing.T) {
	for name, change := range map[string]func(top string) error{
		"a file moves": func(top string) error { return os.Rename(top+"/a/file", top+"/z/file") },
		"a file moves the other way": func(top string) error {
			return os.Rename(top+"/z/other", top+"/a/other")
		},
		"an empty file gets bytes": func(top string) error { return os.WriteFile(top+"/m/empty", []byte("x"), 0o644) },
		"an empty file gets bytes and another comes": func(top string) error {
			return errors.Join(os.WriteFile(top+"/a/file", []byte("x"), 0o644), os.WriteFile(top+"/z/p/q/r/s/new", nil, 0o644))
		},
		"a directory is exchanged": func(top string) error {
			return errors.Join(os.Rename(top+"/m", top+"/a/m"), os.Mkdir(top+"/m", 0o755))
		},
	} {
		for n := 0; ; n++ {
			moment := 1 + n/2
			root := siteRoot(t, t.TempDir())
			top := root.Dir() + "/rootimg"
			for _, path := range []string{"/a/file", "/m/empty", "/m/x/y", "/z/other", "/z/p/q/r/s/deep"} {
				writeFile(t, top+path, nil)
			}
			before := listed(t, root)
			ctx := &changing{Context: context.Background(), left: moment, change: func() {
				if err := change(top); err != nil {
					t.Error(err)
				}
			}}
			nodes, _, err := Walk(ctx, root, "/", "rootimg")
			if ctx.left > 0 {
				break // the walk ended before
			}
			if errors.Is(err, ErrChanged) {
				continue
			}
			if got := sizes(nodes); err != nil || got != before && got != listed(t, root) {
				t.Errorf("%s at moment %d: %s, %v", name, moment, got, err)
			}
		}
	}
}

// listed is the tree as it is now.
func listed(t *testing.T, root *Root) string {
	t.Helper()
	nodes, _, err := Walk(context.Background(), root, "/", "rootimg")
	if err != nil {
		t.Fatal(err)
	}
	return sizes(nodes)
}

// sizes are the names of nodes; files with bytes are marked.
func sizes(nodes []Node) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(n.Name)
		if n.IsRegular() && n.Size > 0 {
			b.WriteString("!")
		}
		b.WriteString(" ")
	}
	return b.String()
}
