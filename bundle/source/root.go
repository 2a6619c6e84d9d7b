package source

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// Root is the directory that stands for "/" when a site's tables name a
// path. It is "/" on a management node, and another directory when the disk
// of a management node is mounted elsewhere.
//
// Below a root other than "/" every path is resolved by the kernel with
// RESOLVE_IN_ROOT (openat2(2)): ".." and absolute symbolic links end at the
// root, as after chroot(2), so nothing outside can be reached, also while
// somebody swaps a directory for a link.
//
// No path leads into a mount of imgexportfs (OwnMountError).
//
// A Root is safe for use by several goroutines.
type Root struct {
	dir   string
	fd    int // of dir, or -1 when the root is "/" and plain open(2) will do
	paths resolver
	calls calls
}

// ErrNotRegular reports that a path is a directory, fifo, socket or device
// where only a regular file can be exported.
var ErrNotRegular = errors.New("not a regular file")

// OpenRoot opens dir as the root of a site; "" means "/".
func OpenRoot(dir string) (*Root, error) {
	abs, err := filepath.Abs(cmp.Or(dir, "/"))
	if err != nil {
		return nil, fmt.Errorf("root directory %s: %w", dir, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, fmt.Errorf("root directory %s: %w", abs, err)
	}
	r := &Root{dir: abs, fd: -1, calls: calls{open: map[*Call]struct{}{}}}
	r.paths = resolver{top: strings.TrimSuffix(real, "/"), readlink: r.readlink, isPlain: r.isPlain}
	if r.paths.mounts, err = newMounts(); err != nil {
		return nil, err
	}
	err = r.paths.within()
	if err == nil && real != "/" {
		err = r.confine()
	}
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// confine opens the directory that no path leaves.
func (r *Root) confine() error {
	fd, err := unix.Open(r.dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("root directory %s: %w", r.dir, err)
	}
	r.fd = fd
	probe, err := r.open("/", unix.O_PATH)
	if errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("root directory %s: this kernel has no openat2(2), which keeps paths inside the directory (Linux 5.6 or later has it)", r.dir)
	}
	if err != nil {
		return fmt.Errorf("root directory %s: %w", r.dir, err)
	}
	return unix.Close(probe)
}

// Close releases the root's descriptors. Files opened below it stay open.
func (r *Root) Close() error {
	err := r.paths.mounts.close()
	if r.fd >= 0 {
		err = errors.Join(err, unix.Close(r.fd))
	}
	return err
}

// Dir is the directory that stands for "/".
func (r *Root) Dir() string { return r.dir }

// open returns a descriptor for name, which counts from the root whether or
// not it starts with a slash: xcatd runs in "/", so that is what a relative
// path in a table means.
func (r *Root) open(name string, flags int) (int, error) {
	defer r.calls.begin(name)()
	real, err := r.resolve(name, flags&unix.O_NOFOLLOW == 0)
	if err != nil {
		return -1, err
	}
	return r.openReal(real, flags)
}

// resolve returns the path without links of what name leads to. A path that is longer than
// a system call takes leads nowhere, as for the kernel. A row may hold a million slashes, and
// each of them would be a step.
func (r *Root) resolve(name string, follow bool) (string, error) {
	switch {
	case strings.IndexByte(name, 0) >= 0:
		return "", unix.EINVAL
	case len(name) >= unix.PathMax:
		return "", unix.ENAMETOOLONG
	}
	return r.paths.resolve(name, follow)
}

// Stat describes what name leads to, links followed.
func (r *Root) Stat(name string) (Stat, error) {
	st, err := r.stat(name, 0)
	if err != nil {
		return Stat{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return st, nil
}

// Lstat describes name itself.
func (r *Root) Lstat(name string) (Stat, error) {
	st, err := r.stat(name, unix.O_NOFOLLOW)
	if err != nil {
		return Stat{}, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return st, nil
}

func (r *Root) stat(name string, flags int) (Stat, error) {
	defer r.calls.begin(name)()
	_, st, err := r.look(name, flags&unix.O_NOFOLLOW == 0)
	return st, err
}

// look describes what name leads to, and returns the path without links. The last
// name is looked at first and its link followed then: most names are no links, and
// listings look at thousands.
func (r *Root) look(name string, follow bool) (real string, st Stat, err error) {
	if real, err = r.resolve(name, false); err != nil {
		return "", Stat{}, err
	}
	if st, err = r.statReal(real); err != nil || !st.IsSymlink() || !follow {
		return real, st, err
	}
	if real, err = r.resolve(name, true); err != nil {
		return "", Stat{}, err
	}
	st, err = r.statReal(real)
	return real, st, err
}

// Readlink returns the target of the symbolic link name.
func (r *Root) Readlink(name string) (string, error) {
	defer r.calls.begin(name)()
	real, err := r.resolve(name, false)
	if err == nil {
		real, err = r.readlink(real)
	}
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return real, nil
}

// ReadDir returns the names in the directory name, in byte order.
func (r *Root) ReadDir(name string) ([]string, error) {
	fd, err := r.open(name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return readNames(os.NewFile(uintptr(fd), name))
}

// RealPath returns the path, as this process must spell it, of the file that
// name leads to. It is for libraries that open files by themselves; nothing
// guards the path against later changes.
func (r *Root) RealPath(name string) (string, error) {
	real, err := r.resolve(name, true)
	if err == nil {
		_, err = r.statReal(real)
	}
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return r.paths.top + real, nil
}

// readNames reads and closes the directory d.
func readNames(d *os.File) ([]string, error) {
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	return names, nil
}
