package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"imgexportfs/xcat"
)

// localPlace is a place on this host.
type localPlace struct {
	dir  string // absolute, as given: "link/.." is not cleaned away
	base string // "" for the bundle's own name, NAME.tgz
}

// newLocalPlace reads the destination operand of an export that is started in the
// directory cwd. Unlike with imgexport, a directory in it counts: DIR/FILE is that
// file, an existing directory or anything that ends in a slash takes NAME.tgz, and
// "" is NAME.tgz in cwd. No extension is added.
func newLocalPlace(cwd, operand string) (localPlace, error) {
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
			return localPlace{}, withCode(exitWrite, fmt.Errorf("destination directory %s: %w", path, reason(err)))
		}
		return localPlace{dir: path}, nil
	}
	dir, base := filepath.Split(path)
	return localPlace{dir: dir, base: base}, nil
}

// String is the directory.
func (p localPlace) String() string { return filepath.Clean(p.dir) }

func (p localPlace) writer(name string) (bundleWriter, error) {
	path, err := p.file(name)
	return func(ctx context.Context, b exportable, progress func(int64)) (int64, error) {
		return writeFile(ctx, path, b, progress)
	}, err
}

// file returns the path of the file to write: one that does not exist, or a regular
// file. Symbolic links are followed, so that writing through a link replaces the
// file and not the link.
func (p localPlace) file(name string) (string, error) {
	base := p.base
	if base == "" {
		base = name + xcat.BundleSuffix
	}
	dir, err := filepath.EvalSymlinks(p.dir)
	if err != nil {
		return "", fmt.Errorf("destination directory %s: %w", p, reason(err))
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
	case st.Mode().Type() == fs.ModeNamedPipe:
		return "", notAFile(path, "fifo")
	case st.Mode().Type() == fs.ModeSocket:
		return "", notAFile(path, "socket")
	case !st.Mode().IsRegular():
		return "", notAFile(path, "device")
	}
	return filepath.EvalSymlinks(path)
}

// reason is err without the path, for a message that names it anyway.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func notAFile(path, kind string) error {
	return fmt.Errorf("destination %s: is a %s, and export writes a complete file or nothing; "+
		"for anything else use cat or cp from a mount (%s mount --help)", path, kind, programName)
}

// writeFile writes the bundle to path, complete and on the disk, or fails and leaves
// what was there. It returns the number of bytes.
func writeFile(ctx context.Context, path string, b exportable, progress func(int64)) (size int64, err error) {
	f, err := newAtomicFile(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = oneLine(err, f.discard()) }()
	size, err = copyExactly(ctx, f, b, progress)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = ctx.Err() // the last moment to stop
	}
	if err != nil {
		return 0, fmt.Errorf("%s was not written: %w", path, err)
	}
	return size, f.commit()
}

// copyExactly writes the bundle to w and checks that w got as many bytes as the
// bundle has.
func copyExactly(ctx context.Context, w io.Writer, b exportable, progress func(int64)) (int64, error) {
	counted := &countingWriter{w: w}
	if err := b.WriteTo(ctx, counted, progress); err != nil {
		return 0, err
	}
	size, err := b.Size(ctx)
	if err == nil && counted.n != size {
		err = fmt.Errorf("%d bytes were written of a bundle of %d", counted.n, size)
	}
	return size, err
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
