package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestExitCodes(t *testing.T) {
	interrupted := func(s syscall.Signal) context.Context {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(interruption{s})
		return ctx
	}
	some := errors.New("some")
	for _, test := range []struct {
		name string
		ctx  context.Context
		err  error
		code int
		said string
	}{
		{"fine", t.Context(), nil, 0, ""},
		{"all said", t.Context(), &exitError{code: exitProblems}, 1, ""},
		{"usage", t.Context(), usageError("bad %s", "flag"), 2, "bad flag"},
		{"wrapped", t.Context(), fmt.Errorf("more: %w", withCode(exitSite, some)), 3, "more: some"},
		{"inner code wins", t.Context(), withCode(exitWrite, withCode(exitMount, some)), 4, "some"},
		{"of the flag library", t.Context(), some, 2, "some"},
		{"ended well before the signal", interrupted(syscall.SIGINT), nil, 0, ""},
		{"SIGINT", interrupted(syscall.SIGINT), withCode(exitWrite, context.Canceled), 130, "ended by a signal: interrupt"},
		{"SIGTERM and a clean-up that fails", interrupted(syscall.SIGTERM),
			withCode(exitWrite, oneLine(context.Canceled, leftBehind{errors.New("x.tmp stays")})), 5, "ended by a signal: terminated; x.tmp stays"},
		{"a clean-up that fails without a signal", t.Context(), withCode(exitMount, leftBehind{some}), 4, "some"},
		{"SIGTERM", interrupted(syscall.SIGTERM), context.Canceled, 143, "ended by a signal: terminated"},
	} {
		if code, said := exitStatus(test.ctx, test.err); code != test.code || said != test.said {
			t.Errorf("%s: code %d, says %q; want %d, %q", test.name, code, said, test.code, test.said)
		}
	}
	if err := withCode(exitSite, nil); err != nil {
		t.Errorf("no error with a code is %v", err)
	}
}

func TestSignalsCancelTheContextAndAreRemembered(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		ctx, stop := untilInterrupted(t.Context())
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Fatalf("%v: the context goes on", signal)
		}
		if got, ok := interruptedBy(ctx); !ok || got != signal {
			t.Errorf("%v: the context says %v, %v", signal, got, ok)
		}
		stop()
	}
}

func TestAnUndisturbedContextIsNotInterrupted(t *testing.T) {
	ctx, stop := untilInterrupted(t.Context())
	stop()
	if s, ok := interruptedBy(ctx); ok {
		t.Errorf("interrupted by %v", s)
	}
}

// Between the end of a command and that of the process, a signal is not to tell a script
// that what is done is not. Without that it would end this test's process.
func TestASignalAfterTheWorkIsDoneEndsNothing(t *testing.T) {
	_, done := untilInterrupted(t.Context())
	done()
	for range 3 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestOneLineJoinsErrors(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	if err := oneLine(nil, nil); err != nil {
		t.Errorf("no errors are %v", err)
	}
	if err := oneLine(nil, a); err != a {
		t.Errorf("one error is %v", err)
	}
	if err := oneLine(a, nil, b); err.Error() != "a; b" || !errors.Is(err, a) || !errors.Is(err, b) {
		t.Errorf("two errors are %q", err)
	}
}
