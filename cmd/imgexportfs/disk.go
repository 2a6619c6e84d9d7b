package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// disk is what a fileTarget needs of a file system. There is one besides the
// operating system's: the tests', which fails when told to.
type disk interface {
	// createTemp creates a new hidden file in dir with mode 0600.
	createTemp(dir string) (tempFile, error)
	rename(from, to string) error
	remove(path string) error
	// syncDir puts the names in dir onto the disk.
	syncDir(dir string) error
}

// tempFile is a file under construction.
type tempFile interface {
	io.WriteCloser
	Name() string
	Sync() error
	// preallocate sees to it that size bytes will fit. Where the file
	// system can't tell, that is no error.
	preallocate(size int64) error
}

type osDisk struct{}

func (osDisk) createTemp(dir string) (tempFile, error) {
	f, err := os.CreateTemp(dir, ".imgexport-*.tmp") // O_EXCL, 0600
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) remove(path string) error { return os.Remove(path) }

func (osDisk) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) { // the file system knows no such thing
		err = nil
	}
	return oneLine(err, d.Close())
}

type osFile struct{ *os.File }

func (f osFile) preallocate(size int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
	for _, full := range []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG} {
		if errors.Is(err, full) {
			return &fs.PathError{Op: "allocate", Path: f.Name(), Err: err}
		}
	}
	return nil
}
