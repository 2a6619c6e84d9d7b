package source

import (
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
// A Root is safe for use by several goroutines.
type Root struct {
	dir string
	fd  int // of dir, or -1 when the root is "/" and plain open(2) will do
}

// ErrNotRegular reports that a path is a directory, fifo, socket or device
// where only a regular file can be exported.
var ErrNotRegular = errors.New("not a regular file")

// OpenRoot opens dir as the root of a site; "" means "/".
func OpenRoot(dir string) (*Root, error) {
	if dir == "" || filepath.Clean(dir) == "/" {
		return &Root{dir: "/", fd: -1}, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("root directory %s: %w", dir, err)
	}
	fd, err := unix.Open(abs, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("root directory %s: %w", abs, err)
	}
	r := &Root{dir: abs, fd: fd}
	probe, err := r.open("/", unix.O_PATH)
	if errors.Is(err, unix.ENOSYS) {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("root directory %s: this kernel has no openat2(2), which keeps paths inside the directory (Linux 5.6 or later has it)", abs)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("root directory %s: %w", abs, err)
	}
	_ = unix.Close(probe)
	return r, nil
}

// Close releases the root's descriptor. Files opened below it stay open.
func (r *Root) Close() error {
	if r.fd < 0 {
		return nil
	}
	return unix.Close(r.fd)
}

// Dir is the directory that stands for "/".
func (r *Root) Dir() string { return r.dir }

// open returns a descriptor for name, which counts from the root whether or
// not it starts with a slash: xcatd runs in "/", so that is what a relative
// path in a table means.
func (r *Root) open(name string, flags int) (int, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return -1, unix.EINVAL
	}
	flags |= unix.O_CLOEXEC
	for {
		var fd int
		var err error
		if r.fd < 0 {
			fd, err = unix.Open("/"+name, flags, 0)
		} else {
			how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
			// EAGAIN: something was renamed while ".." was resolved.
			fd, err = unix.Openat2(r.fd, "./"+name, &how)
		}
		if err == unix.EINTR || err == unix.EAGAIN && r.fd >= 0 {
			continue
		}
		return fd, err
	}
}

// Open opens the regular file name for reading. Symbolic links are followed.
// It never blocks on a fifo and never opens a device: anything but a regular
// file is ErrNotRegular.
func (r *Root) Open(name string) (*os.File, error) {
	fd, err := r.openRegular(name, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// openRegular returns a descriptor: an os.File would cost two more system
// calls for each of the many small files of a tree.
func (r *Root) openRegular(name string, flags int) (int, error) {
	// Opening a device can have effects of its own (a tape rewinds), so
	// look before opening. O_NONBLOCK covers a swap in between, and reading
	// a fifo or a directory then fails.
	st, err := r.stat(name, flags)
	if err == nil && !st.IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	fd, err := r.open(name, flags|unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, nil
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
	var raw unix.Stat_t
	if r.fd < 0 && strings.IndexByte(name, 0) < 0 { // one system call where that will do: listings make thousands
		at := 0
		if flags&unix.O_NOFOLLOW != 0 {
			at = unix.AT_SYMLINK_NOFOLLOW
		}
		if err := unix.Fstatat(unix.AT_FDCWD, "/"+name, &raw, at); err != nil {
			return Stat{}, err
		}
		return statOf(&raw), nil
	}
	fd, err := r.open(name, flags|unix.O_PATH)
	if err != nil {
		return Stat{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Fstat(fd, &raw); err != nil {
		return Stat{}, err
	}
	return statOf(&raw), nil
}

// Readlink returns the target of the symbolic link name.
func (r *Root) Readlink(name string) (string, error) {
	fd, err := r.open(name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	target, err := readlinkat(fd, "")
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return target, nil
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
// name leads to. It is for libraries that open files by themselves; nobody
// guards the path against later changes.
func (r *Root) RealPath(name string) (string, error) {
	if r.fd < 0 {
		return filepath.Join("/", name), nil
	}
	fd, err := r.open(name, unix.O_PATH)
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	return os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
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

// readlinkat reads the link name below dirfd, or dirfd itself when name is "".
func readlinkat(dirfd int, name string) (string, error) {
	for size := 256; ; size *= 2 {
		buf := make([]byte, size)
		n, err := unix.Readlinkat(dirfd, name, buf)
		if err != nil {
			return "", err
		}
		if n < size {
			return string(buf[:n]), nil
		}
	}
}
