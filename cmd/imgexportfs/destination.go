package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"imgexportfs/xcat"
)

// destination is a place on this host.
type destination struct {
	dir  string // absolute, as given: "link/.." is not cleaned away
	base string // "" for the bundle's own name, NAME.tgz
}

// newDestination reads the destination operand of an export that is started
// in the directory cwd. Other than with imgexport a directory in it counts:
// DIR/FILE is that file, an existing directory or anything that ends in a
// slash takes NAME.tgz, and "" is NAME.tgz in cwd. No extension is added.
func newDestination(cwd, operand string) (destination, error) {
	path := operand
	if !filepath.IsAbs(path) {
		path = cwd + "/" + path
	}
	st, err := os.Stat(path)
	if operand == "" || strings.HasSuffix(operand, "/") || err == nil && st.IsDir() {
		if err == nil && !st.IsDir() {
			err = unix.ENOTDIR
		}
		if err != nil {
			return destination{}, withCode(exitWrite, fmt.Errorf("destination directory %s: %w", path, reason(err)))
		}
		return destination{dir: path}, nil
	}
	dir, base := filepath.Split(path)
	return destination{dir: dir, base: base}, nil
}

// String is the directory.
func (d destination) String() string { return filepath.Clean(d.dir) }

func (d destination) target(name string) (target, error) {
	path, err := d.file(name)
	if err != nil {
		return nil, err
	}
	return fileTarget{path: path, disk: osDisk{}}, nil
}

// file returns the path of the file to write: one that does not exist, or
// a regular file. Symbolic links are followed, so that writing through a
// link replaces the file and not the link.
func (d destination) file(name string) (string, error) {
	base := d.base
	if base == "" {
		base = name + xcat.BundleSuffix
	}
	dir, err := filepath.EvalSymlinks(d.dir)
	if err != nil {
		return "", fmt.Errorf("destination directory %s: %w", d, reason(err))
	}
	path := filepath.Join(dir, base)
	if dir == "/dev" || dir == "/proc" || strings.HasPrefix(dir, "/proc/") {
		return "", notAFile(path, "device")
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(path); err == nil {
			return "", fmt.Errorf("destination %s: is a symbolic link to nothing", path)
		}
		return path, nil
	case err != nil:
		return "", fmt.Errorf("destination %s: %w", path, reason(err))
	case st.IsDir():
		return "", fmt.Errorf("destination %s: is a directory", path)
	case !st.Mode().IsRegular():
		return "", notAFile(path, typeName(st.Mode()))
	}
	return filepath.EvalSymlinks(path)
}

// reason is err without the path, where that is named anyway.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func notAFile(path, kind string) error {
	return fmt.Errorf("destination %s: is a %s, and a bundle is written to a file, whole or not at all; "+
		"for anything else use cat or cp from a mount (%s mount --help)", path, kind, programName)
}

func typeName(mode fs.FileMode) string {
	switch mode.Type() {
	case fs.ModeNamedPipe:
		return "fifo"
	case fs.ModeSocket:
		return "socket"
	}
	return "device"
}
