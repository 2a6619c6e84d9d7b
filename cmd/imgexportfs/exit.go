package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes are a contract with scripts; README.md documents them.
// Code 1 is imgexport's: an error line was printed, and there may be a bundle
// all the same.
const (
	exitProblems = 1
	exitUsage    = 2
	exitSite     = 3
	exitMount    = 4
	exitWrite    = 5
	exitSignal   = 128 // plus the number of the signal that ended the program
)

const exitCodes = `0  success
1  check: an image has problems; export: an error line was printed, as with imgexport;
   status: a database cannot be read; verify: a bundle is not current or sound
2  the command line is wrong
3  the site's database or its root directory cannot be read
4  mounting or unmounting failed, or the mount point is not usable;
   status: a mount is dead or does not answer, or there is none
5  the bundle could not be written, or a source could not be read or has changed;
   nothing is left behind
129, 130, 143  interrupted by SIGHUP, SIGINT, SIGTERM; nothing is left behind
What a signal interrupts and cannot be cleaned up is named, with code 4 or 5.`

// exitError is an error with the code that the program ends with. Without a
// cause everything has been printed already.
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

// leftBehind is the error of a clean-up: a mount or a file is still there. A signal is
// a reason to end early, but no excuse for that.
type leftBehind struct{ error }

func (l leftBehind) Unwrap() error { return l.error }

// exitStatus returns the code that the program ends with for what a command
// returned, and the text to print, if any. An error without a code comes from
// the library that reads flags.
func exitStatus(ctx context.Context, err error) (code int, text string) {
	if err == nil {
		return 0, ""
	}
	e, coded := errors.AsType[*exitError](err)
	if signal, ok := interruptedBy(ctx); ok {
		ended := interruption{signal}.Error()
		if left, ok := errors.AsType[leftBehind](err); ok && coded {
			return e.code, ended + "; " + left.Error()
		}
		return exitSignal + int(signal), ended
	}
	switch {
	case !coded:
		return exitUsage, err.Error()
	case e.cause == nil:
		return e.code, ""
	}
	return e.code, err.Error()
}

// oneLine joins errors as errors.Join does, but on one line.
func oneLine(errs ...error) error {
	var joined error
	for _, err := range errs {
		switch {
		case err == nil:
		case joined == nil:
			joined = err
		default:
			joined = fmt.Errorf("%w; %w", joined, err)
		}
	}
	return joined
}

// interruption is the cause of a context that a signal has cancelled.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string { return "ended by a signal: " + i.signal.String() }

// interruptedBy returns the signal that has cancelled ctx.
func interruptedBy(ctx context.Context) (syscall.Signal, bool) {
	i, ok := errors.AsType[interruption](context.Cause(ctx))
	return i.signal, ok
}

// untilInterrupted returns a context that the first SIGINT, SIGTERM or SIGHUP
// cancels, so that commands can clean up. SIGHUP stays ignored under nohup(1). A
// second signal ends the program at once, because a command may hang on a file
// server that does not answer. When done has been called, the work is done, and signals
// change nothing: the program ends with the code of its work.
func untilInterrupted(parent context.Context) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		select {
		case s := <-signals:
			cancel(interruption{s.(syscall.Signal)})
			if _, ok := interruptedBy(ctx); ok {
				signal.Stop(signals)
			}
		case <-ctx.Done(): // signals stays where signals go to
		}
	}()
	return ctx, func() { cancel(nil) }
}

// surviveBrokenPipes lets a write to a pipe that has no reader any more fail, where
// SIGPIPE would end the program and leave a dead mount or half a bundle. Programs that
// this one starts are not affected.
func surviveBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
