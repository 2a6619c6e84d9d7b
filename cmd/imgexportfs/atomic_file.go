package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// atomicFile is a file that gets its name when it is complete. Until then it has none
// (O_TMPFILE), so that nothing is left of it when the program is killed, or a hidden
// temporary one in the same directory where the file system cannot do that. Its mode is
// 0600, because bundles and tables hold passwords. The library renameio does not fit
// here: it puts the whole name into the temporary one, which fails for the longest names,
// and it does not sync the directory.
type atomicFile struct {
	*os.File
	path string
	temp string   // the name that has to be removed, or ""
	dir  *os.File // of path
}

func newAtomicFile(path string) (*atomicFile, error) {
	name := filepath.Dir(path)
	dir, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot write in %s: %w", name, reason(err))
	}
	if fd, err := unix.Open(name, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600); err == nil {
		return &atomicFile{File: os.NewFile(uintptr(fd), path), path: path, dir: dir}, nil
	}
	f, err := os.CreateTemp(name, tempPattern) // O_EXCL, 0600
	if err != nil {
		return nil, fmt.Errorf("cannot write in %s: %w", name, oneLine(reason(err), dir.Close()))
	}
	return &atomicFile{File: f, path: path, temp: f.Name(), dir: dir}, nil
}

const tempPattern = ".imgexport-*.tmp"

// link gives a file without a name a temporary one: only a rename can replace a file.
func (f *atomicFile) link() error {
	if f.temp != "" {
		return nil
	}
	named, err := os.CreateTemp(filepath.Dir(f.path), tempPattern) // finds a name
	if err != nil {
		return err
	}
	_ = named.Close()
	if err := os.Remove(named.Name()); err != nil {
		return err
	}
	self := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if err := unix.Linkat(unix.AT_FDCWD, self, unix.AT_FDCWD, named.Name(), unix.AT_SYMLINK_FOLLOW); err != nil {
		return &os.LinkError{Op: "link", Old: self, New: named.Name(), Err: err}
	}
	f.temp = named.Name()
	return nil
}

// commit gives the file its name, after the content is on the disk, and waits until
// the name is on the disk too.
func (f *atomicFile) commit() error {
	err := f.Sync()
	if err == nil {
		err = f.link()
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Rename(f.temp, f.path)
	}
	if err != nil {
		return fmt.Errorf("%s was not written: %w", f.path, err)
	}
	f.temp = ""
	// EINVAL says that the file system cannot sync directories.
	if err := f.dir.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%s is written, but may be lost if the power fails now: %w", f.path, err)
	}
	return nil
}

// discard removes the file unless it has its name. It must be called in the end. Its
// error is a leftBehind.
func (f *atomicFile) discard() error {
	_, _ = f.dir.Close(), f.Close()
	if f.temp == "" {
		return nil
	}
	if err := os.Remove(f.temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return leftBehind{fmt.Errorf("%s is left behind and may be removed: %w", f.temp, reason(err))}
	}
	return nil
}
