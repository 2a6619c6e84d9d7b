package source

import (
	"golang.org/x/sys/unix"
)

// The calls for paths that have been resolved.

// openReal is open for a path that has been resolved.
func (r *Root) openReal(name string, flags int) (int, error) {
	flags |= unix.O_CLOEXEC
	for {
		var fd int
		var err error
		if r.fd < 0 {
			fd, err = unix.Open(name, flags, 0)
		} else {
			how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
			// EAGAIN: something was renamed while ".." was resolved.
			fd, err = unix.Openat2(r.fd, name, &how)
		}
		if err == unix.EINTR || err == unix.EAGAIN && r.fd >= 0 {
			continue
		}
		return fd, err
	}
}

// isPlain reports whether a path leads somewhere with no symbolic link in it, by one call.
// Kernels before Linux 5.6 cannot tell (openat2(2)): there no path is plain.
func (r *Root) isPlain(name string) bool {
	at, how := unix.AT_FDCWD, unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	if r.fd >= 0 {
		at, how.Resolve = r.fd, how.Resolve|unix.RESOLVE_IN_ROOT
	}
	fd, err := unix.Openat2(at, name, &how)
	if err != nil {
		return false // the reason shows in the names one by one
	}
	_ = unix.Close(fd)
	return true
}

// statReal describes what is at a path that has been resolved.
func (r *Root) statReal(name string) (Stat, error) {
	var raw unix.Stat_t
	if r.fd < 0 {
		if err := retried(func() error { return unix.Fstatat(unix.AT_FDCWD, name, &raw, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
			return Stat{}, err
		}
		return statOf(&raw), nil
	}
	fd, err := r.openReal(name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return Stat{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := retried(func() error { return unix.Fstat(fd, &raw) }); err != nil {
		return Stat{}, err
	}
	return statOf(&raw), nil
}

// retried repeats a call that a signal has interrupted. The Go runtime sends signals to
// its own threads, and many FUSE file systems answer EINTR then, to any call.
func retried(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// readlink is Readlink for a path that has been resolved.
func (r *Root) readlink(name string) (string, error) {
	if r.fd < 0 {
		return readlinkat(unix.AT_FDCWD, name)
	}
	fd, err := r.openReal(name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(fd) }()
	target, err := readlinkat(fd, "")
	if err == unix.ENOENT { // what readlinkat(2) says of a descriptor that is none of a link
		err = unix.EINVAL
	}
	return target, err
}

// readlinkat reads the link name below dirfd, or dirfd itself when name is "".
func readlinkat(dirfd int, name string) (string, error) {
	for size := 256; ; size *= 2 {
		buf, n := make([]byte, size), 0
		err := retried(func() (err error) {
			n, err = unix.Readlinkat(dirfd, name, buf)
			return err
		})
		if err != nil {
			return "", err
		}
		if n < size {
			return string(buf[:n]), nil
		}
	}
}
