package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Node is one file of a tree, as a walk has found it.
type Node struct {
	Name   string // from the tree's own name on: "rootimg/etc/hosts"
	Target string // of a symbolic link
	Stat
}

// Walk looks at all files below the directory name in dir. The nodes come in the order
// of a walk that takes the names of each directory in byte order, and begin with the
// directory itself. Findings are what a copy of the nodes lacks.
//
// An error is the first one in that order; the nodes are those before it.
func Walk(ctx context.Context, root *Root, dir, name string) ([]Node, Findings, error) {
	w := &walk{root: root, dir: dir}
	w.walkers.SetLimit(walkersMax)
	return w.run(ctx, name)
}

// walkersMax is how many goroutines walk one tree: more than most machines have
// cores, for a walker may wait for a disk or a file server. GOROOT on two cores:
// 186 ms with one, 67 ms with eight.
const walkersMax = 8

// walk looks at the files of a tree, on several goroutines. The result does not
// depend on which of them finds what. An error does not stop the others, because one
// that comes before it in order may still be found.
type walk struct {
	root    *Root
	dir     string
	name    string         // of the tree's top in dir
	top     string         // where that leads, without links
	walkers errgroup.Group // each has at most one directory open
}

// folder is one directory of the tree.
type folder struct {
	files []found // in byte order
	left  string  // why it is left empty, if it is
	err   error   // what ended the list of files early
}

// found is one file of a folder.
type found struct {
	node  Node
	attrs []string // extended attributes
	below *folder  // of a directory
}

func (w *walk) run(ctx context.Context, name string) ([]Node, Findings, error) {
	st, err := w.root.Stat(w.dir + "/" + name)
	if err != nil {
		return nil, nil, err
	}
	// Below the top no link is followed, so what is mounted there is known by name.
	if w.top, err = w.root.resolve(w.dir+"/"+name, true); err != nil {
		return nil, nil, err
	}
	w.name = name
	if !st.IsDir() {
		return nil, nil, fmt.Errorf("%s/%s is a %s, not a directory", w.dir, name, st.TypeName())
	}
	top := found{node: Node{Name: name, Stat: st}}
	w.walkers.Go(func() error {
		// The top itself may be a link to where the tree really is.
		top.below = w.folder(ctx, name, st.Ino, 0)
		return nil
	})
	_ = w.walkers.Wait() // errors are in the folders, where their order is known
	list := collected{nodes: make([]Node, 0, top.count())}
	if err = list.add(&top); err == nil {
		err = w.again(ctx, &top)
	}
	return list.nodes, list.findings(), err
}

// folder looks at one directory, which must have the inode number ino, and at
// those below it: each on a goroutine of its own if there may be one more.
func (w *walk) folder(ctx context.Context, name string, ino uint64, flags int) *folder {
	l := &folder{}
	l.err = w.list(ctx, l, name, ino, flags)
	for i := range l.files {
		f := &l.files[i]
		if !f.node.IsDir() || f.below != nil {
			continue
		}
		descend := func() error {
			f.below = w.folder(ctx, f.node.Name, f.node.Ino, unix.O_NOFOLLOW)
			return nil
		}
		if !w.walkers.TryGo(descend) {
			_ = descend()
		}
	}
	return l
}

// changedSince adds ErrChanged to the error of a directory below the top, which a
// listing has just shown, if it is gone or has become a mount.
func changedSince(err error, flags int) error {
	if own := (OwnMountError{}); flags&unix.O_NOFOLLOW != 0 && errors.As(err, &own) {
		return fmt.Errorf("%w: %w", err, ErrChanged)
	}
	return changedIfGone(err)
}

// list adds the files of one directory to l.
func (w *walk) list(ctx context.Context, l *folder, name string, ino uint64, flags int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	next, end := w.root.calls.beginRow(w.dir + "/" + name)
	defer end()
	fd, err := w.root.open(w.dir+"/"+name, unix.O_RDONLY|unix.O_DIRECTORY|flags)
	if err != nil {
		return changedSince(&fs.PathError{Op: "open", Path: name, Err: err}, flags)
	}
	d := os.NewFile(uintptr(fd), name)
	defer func() { _ = d.Close() }()
	var raw unix.Stat_t
	if err := retried(func() error { return unix.Fstat(fd, &raw) }); err != nil {
		return &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	if raw.Ino != ino {
		return fmt.Errorf("%s: %w", name, ErrChanged)
	}
	statOf(&raw).settle() // so that a name that comes or goes behind this shows
	next()
	if isPseudo(fd) {
		l.left = "a file system of the running kernel is mounted on it"
		return nil
	}
	names, err := d.Readdirnames(-1)
	if err != nil {
		return changedIfGone(fmt.Errorf("directory %s: %w", name, err))
	}
	if _, err := w.root.paths.mounts.refresh(); err != nil {
		return err
	}
	slices.Sort(names)
	l.files = make([]found, 0, len(names))
	programs := w.root.paths.mounts.fuseIn(path.Clean(w.root.paths.top + w.top + name[len(w.name):]))
	for _, base := range names {
		if programs[base] {
			l.files = append(l.files, mountPoint(name+"/"+base, statOf(&raw)))
			continue
		}
		next()
		f, err := look(fd, name, base)
		if err != nil {
			return changedIfGone(err)
		}
		l.files = append(l.files, f)
	}
	return nil
}

// mountPoint stands for a directory where a program's file system is mounted, in a
// directory that parent describes. To look at it would be a request to that program, which
// may hang, or be this one.
func mountPoint(name string, parent Stat) found {
	st := Stat{Mode: unix.S_IFDIR | 0o755, Nlink: 1, Identity: Identity{MtimeNs: parent.MtimeNs}}
	return found{node: Node{Name: name, Stat: st}, below: &folder{left: "a FUSE file system is mounted on it"}}
}

// look describes the file base of the directory parent.
func look(dirfd int, parent, base string) (found, error) {
	name := parent + "/" + base
	var raw unix.Stat_t
	if err := retried(func() error { return unix.Fstatat(dirfd, base, &raw, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
		return found{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	f := found{node: Node{Name: name, Stat: statOf(&raw)}}
	switch {
	case f.node.IsSymlink():
		var err error
		if f.node.Target, err = readlinkat(dirfd, base); err != nil {
			return found{}, &fs.PathError{Op: "readlink", Path: name, Err: err}
		}
	case f.node.IsRegular() || f.node.IsDir():
		var err error
		if f.attrs, err = attributes(dirfd, base); err != nil {
			return found{}, &fs.PathError{Op: "list extended attributes", Path: name, Err: err}
		}
	}
	return f, nil
}

// again looks a second time at every directory of a tree that has been walked, and at
// the empty files, which are never read. If none has changed since the first time, all
// names were there together when the second time began. Otherwise the walk may hold one
// directory as it was before a change of two, and the other one as it was after it:
// ErrChanged. Other files are looked at again when they are read.
func (w *walk) again(ctx context.Context, top *found) error {
	list := unread(nil, top)
	var looks errgroup.Group
	for first := range walkersMax {
		looks.Go(func() error {
			for i := first; i < len(list); i += walkersMax {
				if err := w.compare(ctx, list[i], list[i] != top); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return looks.Wait()
}

// unread adds to list what has no bytes to be read, of f and those below it.
func unread(list []*found, f *found) []*found {
	switch {
	case f.node.IsRegular() && f.node.Size == 0:
		return append(list, f)
	case f.below == nil || f.below.left != "": // a mount is not looked at
		return list
	}
	list = append(list, f)
	for i := range f.below.files {
		list = unread(list, &f.below.files[i])
	}
	return list
}

// compare returns ErrChanged unless f is as it was found.
func (w *walk) compare(ctx context.Context, f *found, below bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	flags := 0
	if below {
		flags = unix.O_NOFOLLOW // a link in a directory's place is no directory
	}
	st, err := w.root.stat(w.dir+"/"+f.node.Name, flags)
	switch {
	case err != nil:
		return changedSince(fmt.Errorf("%s: %w", f.node.Name, err), flags)
	case st.Identity != f.node.Identity:
		return fmt.Errorf("%s: %w", f.node.Name, ErrChanged)
	}
	return nil
}
