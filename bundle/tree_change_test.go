package bundle

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"imgexportfs/bundle/source"

	"golang.org/x/sys/unix"
)

// plannedTree is the tree rootimg of a root inside of the directory outer.
func plannedTree(t *testing.T) (outer string, tree *Tree) {
	t.Helper()
	outer = t.TempDir()
	for _, name := range []string{"d/a", "d/sub/b", "d/z"} {
		writeFile(t, outer+"/root/rootimg/"+name, []byte("this is "+name))
	}
	tree, _, err := NewTree(context.Background(), siteRoot(t, outer+"/root"), "/", "rootimg")
	if err != nil {
		t.Fatal(err)
	}
	return outer, tree
}

func TestATreeThatIsNotAsPlannedCannotBeRead(t *testing.T) {
	for name, change := range map[string]func(outer, top string) error{
		"file rewritten":                   func(_, top string) error { return os.WriteFile(top+"/d/z", []byte("THIS is d/z"), 0o644) },
		"file removed":                     func(_, top string) error { return os.Remove(top + "/d/z") },
		"file is another with those bytes": func(_, top string) error { return copyOver(top + "/d/z") },
		"file is a directory": func(_, top string) error {
			return errors.Join(os.Remove(top+"/d/z"), os.Mkdir(top+"/d/z", 0o755))
		},
		"file is a fifo": func(_, top string) error {
			return errors.Join(os.Remove(top+"/d/z"), unix.Mkfifo(top+"/d/z", 0o644))
		},
		"files are links to themselves elsewhere": func(_, top string) error {
			return errors.Join(
				os.Rename(top+"/d", top+"/e"), os.Mkdir(top+"/d", 0o755), os.Rename(top+"/e/sub", top+"/d/sub"),
				os.Symlink("../e/a", top+"/d/a"), os.Symlink("../e/z", top+"/d/z"),
			)
		},
		"directory removed": func(_, top string) error { return os.RemoveAll(top + "/d/sub") },
		"directory is a file": func(_, top string) error {
			return errors.Join(os.RemoveAll(top+"/d/sub"), os.WriteFile(top+"/d/sub", nil, 0o644))
		},
		"directory is a link to itself outside of the root": func(outer, top string) error {
			return errors.Join(os.Rename(top+"/d/sub", outer+"/sub"), os.Symlink(outer+"/sub", top+"/d/sub"))
		},
		"directory is a link upwards out of the root": func(outer, top string) error {
			return errors.Join(os.Rename(top+"/d/sub", outer+"/sub"), os.Symlink("../../../sub", top+"/d/sub"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			outer, tree := plannedTree(t)
			if _, err := tree.ReadAt(make([]byte, tree.Size()), 0); err != nil {
				t.Fatal(err)
			}
			if err := change(outer, outer+"/root/rootimg"); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := tree.ReadAt(make([]byte, tree.Size()), 0)
				done <- err
			}()
			select {
			case err := <-done:
				if !errors.Is(err, source.ErrChanged) {
					t.Errorf("reading gives %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("reading blocks")
			}
		})
	}
}

// copyOver puts a copy of the file in its place, with its time.
func copyOver(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(path+".new", data, st.Mode().Perm()),
		os.Chtimes(path+".new", st.ModTime(), st.ModTime()),
		os.Rename(path+".new", path),
	)
}

func TestReadingATreeLeavesNothingOpen(t *testing.T) {
	outer, tree := plannedTree(t)
	count := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	before := count()
	read := func() error {
		_, err := tree.ReadAt(make([]byte, tree.Size()), 0)
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(outer + "/root/rootimg/d/z"); err != nil {
		t.Fatal(err)
	}
	if err := read(); !errors.Is(err, source.ErrChanged) {
		t.Fatal(err)
	}
	if after := count(); after != before {
		t.Errorf("%d descriptors, and %d before", after, before)
	}
}
