package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// No line is lost or torn while the log changes its file.
func TestLogFileLosesNothingWhenItIsOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	log, err := openLogFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const writers, lines, turns = 4, 300, 20
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			for i := range lines {
				if _, err := fmt.Fprintf(log, "%d %d\n", w, i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range turns {
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, i)); err != nil {
			t.Error(err)
		}
		if err := log.reopen(); err != nil {
			t.Error(err)
		}
	}
	done.Wait()
	files, _ := filepath.Glob(path + "*")
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			seen[line] = true
		}
	}
	if len(files) != turns+1 || len(seen) != writers*lines {
		t.Errorf("%d files with %d lines, want %d with %d", len(files), len(seen), turns+1, writers*lines)
	}
}

// A log whose directory is gone goes on in the old file.
func TestLogFileThatCannotBeOpenedAgainStaysInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := openLogFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := log.reopen(); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("opened again: %v", err)
	}
	if _, err := log.Write([]byte("line\n")); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(dir + ".old/log"); err != nil || string(text) != "line\n" {
		t.Errorf("the old file holds %q (%v)", text, err)
	}
}
