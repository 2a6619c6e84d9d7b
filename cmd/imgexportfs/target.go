package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
)

// exportable is a bundle to be written; *bundle.Bundle is one.
type exportable interface {
	Size(ctx context.Context) (int64, error)
	// progress is told how much of the unpacked bundle is written.
	WriteTo(ctx context.Context, w io.Writer, progress func(done int64)) error
}

// place is where a bundle is to go, before its own name is known.
type place interface {
	// String is what the message "Exporting IMAGE to ..." names.
	String() string
	// target returns where the bundle of the given name goes there.
	target(name string) (target, error)
}

// target is where a bundle is written to: whole, or not at all.
type target interface {
	// write returns once the bundle is where it belongs and on the disk,
	// with the number of bytes that it has; size is that number if it is
	// known in advance. progress is as of source.
	write(ctx context.Context, bundle exportable, size int64, progress func(done int64)) (written int64, err error)
}

// unknownSize is in the place of a size that is not known yet.
const unknownSize = -1

// fileTarget is a file on this host.
type fileTarget struct {
	path string
	disk disk
}

// write makes a hidden temporary file beside the target, readable by its
// owner only, for bundles hold shadow files and host keys. It gets the
// target's name when it is whole and on the disk. Whatever fails, it goes.
func (t fileTarget) write(ctx context.Context, bundle exportable, size int64, progress func(int64)) (int64, error) {
	dir := filepath.Dir(t.path)
	temp, err := t.disk.createTemp(dir)
	if err != nil {
		return 0, fmt.Errorf("cannot write in %s: %w", dir, reason(err))
	}
	written, err := fill(ctx, temp, bundle, size, progress)
	err = oneLine(err, temp.Close())
	if err == nil {
		err = ctx.Err() // last chance; from here on it is done in an instant
	}
	if err == nil {
		err = t.disk.rename(temp.Name(), t.path)
	}
	if err != nil {
		return 0, oneLine(fmt.Errorf("%s was not written: %w", t.path, err), t.disk.remove(temp.Name()))
	}
	if err := t.disk.syncDir(dir); err != nil {
		return 0, fmt.Errorf("%s is written, but may be lost if the power fails now: %w", t.path, err)
	}
	return written, nil
}

// fill writes the bundle into temp and onto the disk.
func fill(ctx context.Context, temp tempFile, bundle exportable, size int64, progress func(int64)) (int64, error) {
	if size != unknownSize {
		if err := temp.preallocate(size); err != nil {
			return 0, err
		}
	}
	written, err := copyExactly(ctx, temp, bundle, progress)
	if err != nil {
		return 0, err
	}
	return written, temp.Sync()
}

// copyExactly writes the bundle to w and sees to it that w got as many bytes
// as the bundle has, which is known for certain once it is made.
func copyExactly(ctx context.Context, w io.Writer, from exportable, progress func(int64)) (int64, error) {
	counted := &countingWriter{w: w}
	if err := from.WriteTo(ctx, counted, progress); err != nil {
		return 0, err
	}
	size, err := from.Size(ctx)
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
