package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The file that was there stays whatever fails, and nothing else is left behind.
func TestAtomicFileKeepsTheOldFileWhateverFails(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, f *atomicFile)
		text    string
	}{
		{"no file", func(t *testing.T, f *atomicFile) { _ = f.Close() }, "old was not written: "},
		{"no sync", func(t *testing.T, f *atomicFile) {
			if err := f.link(); err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			f.File = unsyncable(t)
		}, "old was not written: "},
		{"no rename", func(t *testing.T, f *atomicFile) {
			mkdir(t, filepath.Join(f.path+".dir", "full"))
			f.path += ".dir"
		}, "old.dir was not written: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "old")
			write(t, path, "an older one")
			f, err := newAtomicFile(path)
			if err != nil {
				t.Fatal(err)
			}
			test.prepare(t, f)
			if err := f.commit(); err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %q in it", err, test.text)
			}
			if err := f.discard(); err != nil {
				t.Error(err)
			}
			if got, _ := os.ReadFile(path); string(got) != "an older one" {
				t.Errorf("the old file now holds %q", got)
			}
			if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
	if _, err := newAtomicFile(filepath.Join(t.TempDir(), "nodir", "x")); !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "cannot write in ") {
		t.Errorf("no directory: %v", err)
	}
}

// unsyncable returns a file that can be closed and not be synced.
func unsyncable(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	return w
}

func TestAtomicFileSaysWhenTheNameMayBeLost(t *testing.T) {
	dir := t.TempDir()
	f, err := newAtomicFile(filepath.Join(dir, "foo.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	_ = f.dir.Close() // the sync of the directory will fail
	if err := f.commit(); err == nil || !strings.Contains(err.Error(), "foo.tgz is written, but may be lost") {
		t.Errorf("error %v", err)
	}
	if err := f.discard(); err != nil {
		t.Error(err)
	}
	onlyFile(t, dir, "foo.tgz")
}

// What cannot be removed is named, as something that no signal excuses.
func TestAtomicFileSaysWhatItLeavesBehind(t *testing.T) {
	for _, test := range []struct {
		name    string
		replace func(t *testing.T, temp string)
		left    bool
	}{
		{"gone already", func(*testing.T, string) {}, false},
		{"a directory with files", func(t *testing.T, temp string) { mkdir(t, filepath.Join(temp, "full")) }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := newAtomicFile(filepath.Join(t.TempDir(), "foo.tgz"))
			if err != nil {
				t.Fatal(err)
			}
			if err := f.link(); err != nil {
				t.Fatal(err)
			}
			temp := f.temp
			if err := os.Remove(temp); err != nil {
				t.Fatal(err)
			}
			test.replace(t, temp)
			err = f.discard()
			_, left := errors.AsType[leftBehind](err)
			if left != test.left || left && !strings.Contains(err.Error(), temp+" is left behind") {
				t.Errorf("error %v", err)
			}
		})
	}
}
