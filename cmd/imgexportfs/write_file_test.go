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
	late    bool   // err comes when all is written
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
	if b.late {
		return b.err
	}
	return nil
}

func healthy() fakeBundle {
	return fakeBundle{content: bytes.Repeat([]byte("bundle "), 5000), failAt: -1}
}

func ignore(int64) {}

func TestWriteFileMakesACompletePrivateFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "foo.tgz")
	write(t, path, "an older bundle")
	want := healthy()
	var last int64
	n, err := writeFile(t.Context(), path, want, func(done int64) { last = done })
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

func TestWriteFileTakesTheLongestNames(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("n", 255)
	if _, err := writeFile(t.Context(), filepath.Join(dir, name), healthy(), ignore); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, dir, name)
}

func TestWriteFileKeepsTheOldFileWhateverFails(t *testing.T) {
	changed := healthy()
	changed.failAt, changed.err = 17_000, fmt.Errorf("/install/x: %w", source.ErrChanged)
	short, long := healthy(), healthy()
	short.lie, long.lie = +1, -1
	full := healthy()
	full.failAt, full.err = 17_000, unix.ENOSPC

	for _, test := range []struct {
		name   string
		bundle fakeBundle
		is     error
		text   string
	}{
		{"source changed", changed, source.ErrChanged, "was not written"},
		{"too short", short, nil, "35000 bytes were written of a bundle of 35001"},
		{"too long", long, nil, "35000 bytes were written of a bundle of 34999"},
		{"disk full", full, unix.ENOSPC, "foo.tgz was not written: no space left on device"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "foo.tgz")
			write(t, path, "an older bundle")
			_, err := writeFile(t.Context(), path, test.bundle, ignore)
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

func TestWriteFileLeavesNothingWhenInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	b := healthy()
	b.during = cancel
	_, err := writeFile(ctx, filepath.Join(dir, "foo.tgz"), b, ignore)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	onlyFile(t, dir)
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
