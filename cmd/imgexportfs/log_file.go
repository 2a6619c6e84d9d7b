package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// logFile is the file that --log-file names. It can be opened again under its name,
// after logrotate(8) has given the old file another one.
type logFile struct {
	path string

	mu     sync.Mutex // guards what follows
	file   *os.File
	stderr bool // the file is the standard error, too
}

// openLogFile opens a log to append to.
func openLogFile(path string) (*logFile, error) {
	path, err := filepath.Abs(path) // a daemon leaves the working directory
	if err != nil {
		return nil, err
	}
	l := &logFile{path: path}
	return l, l.reopen()
}

// reopen opens the file that has the log's name now. After an error the old one stays
// in use.
func (l *logFile) reopen() error {
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("log file: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_ = l.file.Close() // nothing is buffered
	}
	l.file = file
	if l.stderr {
		return unix.Dup3(int(file.Fd()), unix.Stderr, 0)
	}
	return nil
}

// becomeStderr sends what is written to the standard error to the file from now on,
// also the last words of a program that crashes.
func (l *logFile) becomeStderr() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stderr = true
	return unix.Dup3(int(l.file.Fd()), unix.Stderr, 0)
}

// Write appends to the log.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}
