package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// NewTree walks the directory name below dir and returns it as the content
// of rootimgtree.gz, entries named from name on. The sentences say what of
// the tree an archive in newc format leaves out.
//
// An error says why the tree cannot be packed at all.
func NewTree(ctx context.Context, root *Root, dir, name string) (*Tree, []string, error) {
	all, err := newWalk(root, dir, walkersMax).run(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	linkNodes(all.nodes)
	return newTree(&treeNodes{root: root, dir: dir, list: all.nodes}), all.sentences(), nil
}

// walkersMax is how many goroutines walk one tree: more than most machines have
// cores, for a walker may wait for a disk or a file server.
const walkersMax = 8

// walk looks at the files of a tree, on several goroutines. What is found does
// not depend on which of them finds it. An error does not stop the others: what
// comes before it in the order of the archive may have one too.
type walk struct {
	root    *Root
	dir     string
	walkers errgroup.Group // each has at most one directory open
}

func newWalk(root *Root, dir string, walkers int) *walk {
	w := &walk{root: root, dir: dir}
	w.walkers.SetLimit(walkers)
	return w
}

// listing is what the walk finds in one directory.
type listing struct {
	files  []found // in byte order
	pseudo bool    // it is left empty, see isPseudo
	err    error   // what ended the listing behind files, if anything
}

// found is one file of a directory.
type found struct {
	node  treeNode
	attrs []string // extended attributes that the archive has no room for
	below *listing // of a directory
}

// run walks the tree, and returns what the walk has found in the order of the
// archive. An error is the first one in that order.
func (w *walk) run(ctx context.Context, name string) (*findings, error) {
	st, err := w.root.Stat(w.dir + "/" + name)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("%s/%s is a %s, not a directory", w.dir, name, st.TypeName())
	}
	top := found{node: newNode(name, st, "")}
	w.walkers.Go(func() error {
		// The top itself may be a link to where the tree really is.
		top.below = w.directory(ctx, name, st.Identity, 0)
		return nil
	})
	_ = w.walkers.Wait() // errors are in the listings, where their order is known
	all := newFindings(&top)
	return all, all.add(&top)
}

// directory walks one directory, which must still be the one with id, and
// those below it: each on a goroutine of its own if there may be one more.
func (w *walk) directory(ctx context.Context, name string, id Identity, flags int) *listing {
	l := &listing{}
	l.err = w.list(ctx, l, name, id, flags)
	for i := range l.files {
		f := &l.files[i]
		if f.node.mode&unix.S_IFMT != unix.S_IFDIR {
			continue
		}
		descend := func() error {
			f.below = w.directory(ctx, f.node.name, f.node.id, unix.O_NOFOLLOW)
			return nil
		}
		if !w.walkers.TryGo(descend) {
			_ = descend()
		}
	}
	return l
}

// list adds the files of one directory to l.
func (w *walk) list(ctx context.Context, l *listing, name string, id Identity, flags int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fd, err := w.root.open(w.dir+"/"+name, unix.O_RDONLY|unix.O_DIRECTORY|flags)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	d := os.NewFile(uintptr(fd), name)
	defer func() { _ = d.Close() }()
	var raw unix.Stat_t
	if err := unix.Fstat(fd, &raw); err != nil {
		return &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	if raw.Ino != id.Ino {
		return fmt.Errorf("%s: %w", name, ErrChanged)
	}
	if l.pseudo = isPseudo(fd); l.pseudo {
		return nil
	}
	names, err := d.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("directory %s: %w", name, err)
	}
	slices.Sort(names)
	l.files = make([]found, 0, len(names))
	for _, base := range names {
		f, err := look(fd, name, base)
		if err != nil {
			return err
		}
		l.files = append(l.files, f)
	}
	return nil
}

// look describes the file base of the directory parent.
func look(dirfd int, parent, base string) (found, error) {
	name := parent + "/" + base
	var raw unix.Stat_t
	if err := unix.Fstatat(dirfd, base, &raw, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return found{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	st := statOf(&raw)
	target := ""
	switch {
	case st.IsSymlink():
		var err error
		if target, err = readlinkat(dirfd, base); err != nil {
			return found{}, &fs.PathError{Op: "readlink", Path: name, Err: err}
		}
	case st.IsRegular() && st.Size > cpioMaxFile:
		return found{}, fmt.Errorf("%s has %d bytes, and an archive in newc format holds files below 4 GiB: move it out of the tree", name, st.Size)
	}
	f := found{node: newNode(name, st, target)}
	if st.IsRegular() || st.IsDir() {
		f.attrs = attributes(dirfd, base)
	}
	return f, nil
}

func newNode(name string, st Stat, target string) treeNode {
	return treeNode{
		name: name, target: target,
		id: st.Identity, dev: st.Dev, rdev: st.Rdev, mode: st.Mode, uid: st.UID, gid: st.GID,
		nlink: st.Nlink,
	}
}

// attributes lists the extended attributes of a file, which newc cannot hold.
// SELinux labels do not count: they belong to the host, and the image is
// labelled when it boots.
func attributes(dirfd int, base string) []string {
	var buf [1024]byte
	n, err := listxattr(dirfd, base, buf[:])
	if errors.Is(err, unix.ERANGE) {
		n = copy(buf[:], "(many)\x00")
	} else if err != nil {
		return nil // the file system has none
	}
	var attrs []string
	for attr := range strings.SplitSeq(string(buf[:n]), "\x00") {
		if attr != "" && attr != "security.selinux" {
			attrs = append(attrs, attr)
		}
	}
	return attrs
}

// isPseudo reports whether the directory lies on one of the kernel's own
// file systems. A chroot may have them mounted while somebody works in it.
func isPseudo(fd int) bool {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return false
	}
	return slices.Contains([]int64{
		unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.DEVPTS_SUPER_MAGIC, unix.CGROUP_SUPER_MAGIC,
		unix.CGROUP2_SUPER_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC,
	}, int64(st.Type)) //nolint:unconvert // the width differs between platforms
}
