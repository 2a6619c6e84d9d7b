package bundle

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// NewTree walks the directory name below dir and returns it as the content
// of rootimgtree.gz, entries named from name on. The sentences say what of
// the tree an archive in newc format leaves out.
//
// An error says why the tree cannot be packed at all.
func NewTree(ctx context.Context, root *Root, dir, name string) (*Tree, []string, error) {
	w := &walk{root: root, dir: dir, lost: map[string]*lostAttribute{}}
	if err := w.run(ctx, name); err != nil {
		return nil, nil, err
	}
	nodes := &treeNodes{root: root, dir: dir, list: w.nodes}
	linkNodes(nodes.list)
	tree, err := newTree(nodes)
	return tree, w.sentences(), err
}

// walk collects the files of a tree.
type walk struct {
	root  *Root
	dir   string
	nodes []treeNode

	lost   map[string]*lostAttribute // by name of the extended attribute
	pseudo []string                  // mount points of file systems that hold no files
}

// lostAttribute counts the files with an extended attribute.
type lostAttribute struct {
	files int
	first string
}

func (w *walk) run(ctx context.Context, name string) error {
	top, err := w.root.Stat(w.dir + "/" + name)
	if err != nil {
		return err
	}
	if !top.IsDir() {
		return fmt.Errorf("%s/%s is a %s, not a directory", w.dir, name, top.TypeName())
	}
	w.add(name, top, "")
	// The top itself may be a link to where the tree really is.
	return w.directory(ctx, name, top.Identity, 0)
}

func (w *walk) add(name string, st Stat, target string) {
	w.nodes = append(w.nodes, treeNode{
		name: name, target: target,
		id: st.Identity, dev: st.Dev, rdev: st.Rdev, mode: st.Mode, uid: st.UID, gid: st.GID,
		nlink: st.Nlink,
	})
}

// directory walks one directory, which must still be the one with id.
func (w *walk) directory(ctx context.Context, name string, id Identity, flags int) error {
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
	if w.isPseudo(fd) {
		w.pseudo = append(w.pseudo, name)
		return nil
	}
	names, err := d.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("directory %s: %w", name, err)
	}
	sort.Strings(names)
	for _, base := range names {
		if err := w.file(ctx, fd, name, base); err != nil {
			return err
		}
	}
	return nil
}

// file adds the file base of the directory parent, and what is below it.
func (w *walk) file(ctx context.Context, dirfd int, parent, base string) error {
	name := parent + "/" + base
	var raw unix.Stat_t
	if err := unix.Fstatat(dirfd, base, &raw, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	st := statOf(&raw)
	target := ""
	switch {
	case st.IsSymlink():
		var err error
		if target, err = readlinkat(dirfd, base); err != nil {
			return &fs.PathError{Op: "readlink", Path: name, Err: err}
		}
	case st.IsRegular() && st.Size > cpioMaxFile:
		return fmt.Errorf("%s has %d bytes, and an archive in newc format holds files below 4 GiB: move it out of the tree", name, st.Size)
	}
	w.add(name, st, target)
	if st.IsRegular() || st.IsDir() {
		w.attributes(dirfd, base, name)
	}
	if st.IsDir() {
		return w.directory(ctx, name, st.Identity, unix.O_NOFOLLOW)
	}
	return nil
}

// attributes notes the extended attributes of a file, which newc cannot hold.
// SELinux labels do not count: they belong to the host, and the image is
// labelled when it boots.
func (w *walk) attributes(dirfd int, base, name string) {
	var buf [1024]byte
	n, err := listxattr(dirfd, base, buf[:])
	if errors.Is(err, unix.ERANGE) {
		n = copy(buf[:], "(many)\x00")
	} else if err != nil {
		return // the file system has none
	}
	for attr := range strings.SplitSeq(string(buf[:n]), "\x00") {
		if attr == "" || attr == "security.selinux" {
			continue
		}
		l := w.lost[attr]
		if l == nil {
			l = &lostAttribute{first: name}
			w.lost[attr] = l
		}
		l.files++
	}
}

// isPseudo reports whether the directory lies on one of the kernel's own
// file systems. A chroot may have them mounted while somebody works in it.
func (w *walk) isPseudo(fd int) bool {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return false
	}
	return slices.Contains([]int64{
		unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.DEVPTS_SUPER_MAGIC, unix.CGROUP_SUPER_MAGIC,
		unix.CGROUP2_SUPER_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC,
	}, int64(st.Type)) //nolint:unconvert // the width differs between platforms
}

func (w *walk) sentences() []string {
	var out []string
	for _, name := range w.pseudo {
		out = append(out, fmt.Sprintf("%s is left empty: a file system of the running kernel is mounted on it", name))
	}
	attrs := make([]string, 0, len(w.lost))
	for attr := range w.lost {
		attrs = append(attrs, attr)
	}
	sort.Strings(attrs)
	for _, attr := range attrs {
		l := w.lost[attr]
		out = append(out, fmt.Sprintf("the extended attribute %s of %d files cannot be in rootimgtree.gz, and an imported image will lack it (first: %s)", attr, l.files, l.first))
	}
	return out
}

// linkNodes finds the hard links in the tree, numbers the inodes, and lets
// the last link of each file carry its bytes, as GNU cpio does. The numbers
// come from names and not from a counter, so that a new file does not change
// the headers of those behind it.
func linkNodes(list []treeNode) {
	type file struct{ dev, ino uint64 }
	links := map[file][]int{}
	for i := range list {
		n := &list[i]
		n.ino = inodeOf(n.name)
		n.data = n.mode&unix.S_IFMT == unix.S_IFREG
		if n.data && n.nlink > 1 {
			key := file{n.dev, n.id.Ino}
			links[key] = append(links[key], i)
		}
		n.nlink = 1
	}
	taken := map[uint32]bool{}
	for i := range list {
		group := links[file{list[i].dev, list[i].id.Ino}]
		if len(group) < 2 || group[0] != i {
			continue
		}
		ino := list[i].ino
		for taken[ino] {
			ino++
		}
		taken[ino] = true
		for _, j := range group {
			list[j].ino, list[j].nlink = ino, uint32(len(group))
			list[j].data = j == group[len(group)-1]
		}
	}
}

// inodeOf is the inode number of a name. Readers use it only to tell which
// links belong together.
func inodeOf(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return h.Sum32()
}
