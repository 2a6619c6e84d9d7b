package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/bundle/source"

	"golang.org/x/sys/unix"
)

// fakeBundle is a source of bytes that can fail on the way.
type fakeBundle struct {
	content []byte
	lie     int // the size is off by this
	failAt  int // -1: never
	err     error
	during  func() // called in the middle, if set
}

func (b fakeBundle) Size(context.Context) (int64, error) { return int64(len(b.content) + b.lie), nil }

func (b fakeBundle) WriteTo(ctx context.Context, w io.Writer, progress func(int64)) error {
	for done := 0; done < len(b.content); {
		if b.during != nil && done >= len(b.content)/2 {
			b.during()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		next := min(done+1000, len(b.content))
		if b.failAt >= 0 && next > b.failAt {
			return b.err
		}
		if _, err := w.Write(b.content[done:next]); err != nil {
			return err
		}
		done = next
		progress(int64(done))
	}
	return nil
}

func healthy() fakeBundle {
	return fakeBundle{content: bytes.Repeat([]byte("bundle "), 5000), failAt: -1}
}

// faultyDisk is the operating system's but for one operation that fails.
type faultyDisk struct {
	osDisk
	fault string
	err   error
}

func (d faultyDisk) fails(operation string) error {
	if d.fault == operation {
		return d.err
	}
	return nil
}

func (d faultyDisk) createTemp(dir string) (tempFile, error) {
	if err := d.fails("create"); err != nil {
		return nil, err
	}
	f, err := d.osDisk.createTemp(dir)
	return faultyFile{f, d}, err
}

func (d faultyDisk) rename(from, to string) error {
	if err := d.fails("rename"); err != nil {
		return err
	}
	return d.osDisk.rename(from, to)
}

func (d faultyDisk) syncDir(dir string) error {
	if err := d.fails("syncdir"); err != nil {
		return err
	}
	return d.osDisk.syncDir(dir)
}

type faultyFile struct {
	tempFile
	disk faultyDisk
}

func (f faultyFile) preallocate(size int64) error {
	if err := f.disk.fails("preallocate"); err != nil {
		return err
	}
	return f.tempFile.preallocate(size)
}

func (f faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.fails("write"); err != nil {
		n, _ := f.tempFile.Write(p[:len(p)/2])
		return n, err
	}
	return f.tempFile.Write(p)
}

func (f faultyFile) Sync() error {
	if err := f.disk.fails("sync"); err != nil {
		return err
	}
	return f.tempFile.Sync()
}

func (f faultyFile) Close() error {
	return errors.Join(f.tempFile.Close(), f.disk.fails("close"))
}

func ignore(int64) {}

func TestFileTargetWritesAWholePrivateFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "foo.tgz")
	write(t, path, "an older bundle")
	want := healthy()
	var last int64
	n, err := fileTarget{path, osDisk{}}.write(t.Context(), want, unknownSize, func(done int64) { last = done })
	if err != nil || n != int64(len(want.content)) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want.content) {
		t.Errorf("the file has %d bytes, %v; want the bundle's %d", len(got), err, len(want.content))
	}
	if last != int64(len(want.content)) {
		t.Errorf("progress ended at %d of %d", last, len(want.content))
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", st.Mode(), err)
	}
	onlyFile(t, dir, "foo.tgz")
}

func TestFileTargetTakesTheLongestNames(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("n", 255)
	b := healthy()
	if _, err := (fileTarget{filepath.Join(dir, name), osDisk{}}).write(t.Context(), b, int64(len(b.content)), ignore); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, dir, name)
}

func TestFileTargetKeepsTheOldFileWhateverFails(t *testing.T) {
	changed := healthy()
	changed.failAt, changed.err = 17_000, fmt.Errorf("/install/x: %w", source.ErrChanged)
	short, long := healthy(), healthy()
	short.lie, long.lie = +1, -1
	full := func(operation string) disk { return faultyDisk{fault: operation, err: unix.ENOSPC} }

	for _, test := range []struct {
		name   string
		bundle fakeBundle
		disk   disk
		is     error
		text   string
	}{
		{"source changed", changed, osDisk{}, source.ErrChanged, "was not written"},
		{"too short", short, osDisk{}, nil, "35000 bytes were written of a bundle of 35001"},
		{"too long", long, osDisk{}, nil, "35000 bytes were written of a bundle of 34999"},
		{"no temporary file", healthy(), full("create"), unix.ENOSPC, "cannot write in"},
		{"no room in advance", healthy(), full("preallocate"), unix.ENOSPC, "no space left on device"},
		{"disk full", healthy(), full("write"), unix.ENOSPC, "no space left on device"},
		{"disk full at sync", healthy(), full("sync"), unix.ENOSPC, "was not written"},
		{"disk full at close", healthy(), full("close"), unix.ENOSPC, "was not written"},
		{"no rename", healthy(), faultyDisk{fault: "rename", err: unix.EPERM}, unix.EPERM, "was not written"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "foo.tgz")
			write(t, path, "an older bundle")
			_, err := fileTarget{path, test.disk}.write(t.Context(), test.bundle, int64(len(test.bundle.content)), ignore)
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %v with %q", err, test.is, test.text)
			}
			if got, _ := os.ReadFile(path); string(got) != "an older bundle" {
				t.Errorf("the old file now holds %d bytes", len(got))
			}
			onlyFile(t, dir, "foo.tgz")
		})
	}
}

func TestFileTargetSaysWhenTheNameMayBeLost(t *testing.T) {
	dir := t.TempDir()
	b := healthy()
	_, err := fileTarget{filepath.Join(dir, "foo.tgz"), faultyDisk{fault: "syncdir", err: unix.EIO}}.
		write(t.Context(), b, int64(len(b.content)), ignore)
	if !errors.Is(err, unix.EIO) || !strings.Contains(err.Error(), "is written, but") {
		t.Errorf("error %v", err)
	}
	onlyFile(t, dir, "foo.tgz")
}

func TestFileTargetLeavesNothingWhenInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	b := healthy()
	b.during = cancel
	_, err := fileTarget{filepath.Join(dir, "foo.tgz"), osDisk{}}.write(ctx, b, int64(len(b.content)), ignore)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	onlyFile(t, dir)
}

func TestPreallocationKeepsTheSize(t *testing.T) {
	f, err := osDisk{}.createTemp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.preallocate(1 << 20); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(f.Name()); err != nil || st.Size() != 0 {
		t.Errorf("size %d, %v; want 0", st.Size(), err)
	}
}

// onlyFile fails if dir holds anything but the named files.
func onlyFile(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}
