package bundle

import (
	"context"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"imgexportfs/bundle/source"

	"golang.org/x/sync/errgroup"
)

// benchRoot is a tree of real files, the Go distribution that runs this,
// below a root.
type benchRoot struct {
	kind      string // of root: "/", or a directory that keeps paths inside
	root      *source.Root
	dir, name string
}

func benchRoots(b *testing.B) []benchRoot {
	b.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	goroot, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)))
	if err != nil {
		b.Fatal(err)
	}
	dir, name := path.Split(goroot)
	// The first directory of the path, and the rest of it.
	above, below, _ := strings.Cut(strings.TrimPrefix(dir, "/"), "/")
	open := func(dir string) *source.Root {
		root, err := source.OpenRoot(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = root.Close() })
		return root
	}
	return []benchRoot{
		{"all", open("/"), path.Clean(dir), name},
		{"confined", open("/" + above), path.Clean("/" + below), name},
	}
}

func (r benchRoot) tree(b *testing.B) *Tree {
	b.Helper()
	tree, _, err := NewTree(context.Background(), r.root, r.dir, r.name)
	if err != nil {
		b.Fatal(err)
	}
	return tree
}

// BenchmarkWalk looks at every file of a tree.
func BenchmarkWalk(b *testing.B) {
	for _, r := range benchRoots(b) {
		b.Run(r.kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.tree(b)
			}
		})
	}
}

// BenchmarkPlan is what a look at a statelite image costs behind the walk:
// the fingerprint, and, of a version not seen before, the plan of its bundle.
func BenchmarkPlan(b *testing.B) {
	e, err := NewEngine(EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	m, err := NewRegular("rootimgtree.gz", 0o644, time.Time{}, benchRoots(b)[0].tree(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("fingerprint", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Fingerprint("foo", []Member{m})
		}
	})
	b.Run("bundle", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.NewBundle(b.Context(), "foo", []Member{m}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTreeRead reads all files of a tree, chunk by chunk as segments do.
func BenchmarkTreeRead(b *testing.B) {
	for _, r := range benchRoots(b) {
		tree := r.tree(b)
		for _, readers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d readers", r.kind, readers), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(tree.Size())
				for b.Loop() {
					if err := readChunks(tree, readers); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func readChunks(tree *Tree, readers int) error {
	var next atomic.Int64
	var g errgroup.Group
	for range readers {
		g.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(tree.chunks)); i = next.Add(1) - 1 {
				member, err := tree.member(int(i))
				if err != nil {
					return err
				}
				putBuffer(member)
			}
			return nil
		})
	}
	return g.Wait()
}
