package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// The exit codes are a contract with scripts; README.md documents them.
// Code 1 is imgexport's: some error line was printed, and there may be a
// bundle all the same.
const (
	exitProblems = 1 // an image has problems
	exitUsage    = 2 // the command line is wrong
	exitSite     = 3 // the database or the root directory can't be read
	exitMount    = 4 // mounting or unmounting failed
	exitWrite    = 5 // the bundle, or a report, could not be written whole

	exitSignal = 128 // plus the number of the signal that ended the program
)

func exitCodesText() string {
	lines := []string{
		"0  fine",
		"1  an image has problems; export: an error line was printed, as with imgexport",
		"2  the command line is wrong",
		"3  the site's database or its root directory can't be read",
		"4  mounting or unmounting failed",
		"5  the bundle could not be written, or its sources changed meanwhile; nothing is left behind",
		"129, 130, 143  interrupted by SIGHUP, SIGINT, SIGTERM; nothing is left behind",
	}
	return strings.Join(lines, "\n")
}

// exitError is an error that says which code the program ends with. Without
// a cause everything has been printed already.
type exitError struct {
	code  int
	cause error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }

func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, cause: fmt.Errorf(format, args...)}
}

// withCode gives err a code, unless it has one already.
func withCode(code int, err error) error {
	if _, coded := errors.AsType[*exitError](err); coded || err == nil {
		return err
	}
	return &exitError{code: code, cause: err}
}

// exitCode maps what a command returned to the code the program ends with.
// An error that is of no kind comes from the library that reads flags.
func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	if signal, ok := interruptedBy(ctx); ok {
		return exitSignal + int(signal)
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitUsage
}

// explain is the text to print for what a command returned; "" for none.
func explain(ctx context.Context, err error) string {
	if err == nil {
		return ""
	}
	if signal, ok := interruptedBy(ctx); ok {
		return interruption{signal}.Error()
	}
	if e, ok := errors.AsType[*exitError](err); ok && e.cause == nil {
		return ""
	}
	return err.Error()
}

// interruption is the cause of a context that a signal has cancelled.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string { return "ended by a signal: " + i.signal.String() }

// interruptedBy returns the signal that has cancelled ctx.
func interruptedBy(ctx context.Context) (syscall.Signal, bool) {
	i, ok := errors.AsType[interruption](context.Cause(ctx))
	return i.signal, ok
}
