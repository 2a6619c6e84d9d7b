package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// atomicFile is a file that gets its name when it is complete. Until then it has a
// hidden temporary name in the same directory. Its mode is 0600, because bundles and
// tables hold passwords. The library renameio does not fit here: it puts the whole
// name into the temporary one, which fails for the longest names, and it does not
// sync the directory.
type atomicFile struct {
	*os.File
	path string
	temp string   // "" when there is no temporary file any more
	dir  *os.File // of path
}

func newAtomicFile(path string) (*atomicFile, error) {
	name := filepath.Dir(path)
	dir, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot write in %s: %w", name, reason(err))
	}
	f, err := os.CreateTemp(name, ".imgexport-*.tmp") // O_EXCL, 0600
	if err != nil {
		return nil, fmt.Errorf("cannot write in %s: %w", name, oneLine(reason(err), dir.Close()))
	}
	return &atomicFile{File: f, path: path, temp: f.Name(), dir: dir}, nil
}

// commit gives the file its name, after the content is on the disk, and waits until
// the name is on the disk too.
func (f *atomicFile) commit() error {
	err := f.Sync()
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
	_ = f.dir.Close()
	if f.temp == "" {
		return nil
	}
	_ = f.Close()
	if err := os.Remove(f.temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return leftBehind{fmt.Errorf("%s is left behind and may be removed: %w", f.temp, reason(err))}
	}
	return nil
}
