package fs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// interruptPoll is how often a caller that was interrupted is looked at.
const interruptPoll = 50 * time.Millisecond

// wanted returns a context that ends when the caller of a request wants no
// answer any more. The function returned must be called when there is one.
//
// The kernel interrupts a request for any signal, also one that neither ends
// the caller nor is meant to: SIGWINCH, SIGCHLD, the SIGURG of Go programs,
// ^Z. It does so once for a request, so from then on the signals that the
// caller has pending are looked at until one of them ends it.
func wanted(ctx context.Context) (context.Context, func()) { return wantedUnless(ctx, nil) }

// wantedUnless is wanted with a second reason to end: hung is asked now and then, and
// returns why it is not worth to wait for an answer, or nil.
func wantedUnless(ctx context.Context, hung func() error) (context.Context, func()) {
	caller, known := fuse.FromContext(ctx)
	if !known || ctx.Done() == nil || caller.Pid == 0 && hung == nil {
		return ctx, func() {}
	}
	w := &callerContext{
		Context: context.WithoutCancel(ctx), caller: caller.Pid, interrupted: ctx.Done(), hung: hung,
		answered: make(chan struct{}), done: make(chan struct{}),
	}
	return w, func() { close(w.answered) }
}

// callerContext is the context of one request. Most requests are answered without
// any wait, so the caller is only watched when something asks for Done.
type callerContext struct {
	context.Context
	caller      uint32          // a thread; 0 if it is in another PID namespace
	interrupted <-chan struct{} // closed when the kernel has interrupted the request
	answered    chan struct{}   // closed when there is an answer
	hung        func() error    // may be nil
	watching    sync.Once
	done        chan struct{} // closed by watch
	err         error         // once done is closed
}

// Done is closed when the caller is about to end, or has its answer.
func (c *callerContext) Done() <-chan struct{} {
	c.watching.Do(func() { go c.watch() })
	return c.done
}

// Err is context.Canceled then, or what hung has returned.
func (c *callerContext) Err() error {
	select {
	case <-c.done:
		return c.err
	case <-c.answered:
		return context.Canceled
	default:
		return nil
	}
}

func (c *callerContext) watch() {
	defer close(c.done)
	c.err = context.Canceled
	interrupted, poll := c.interrupted, stuckPoll
	for {
		select {
		case <-c.answered:
			return
		case <-interrupted:
			interrupted, poll = nil, interruptPoll
		case <-time.After(poll):
		}
		if interrupted == nil && (c.caller == 0 || isEnding(c.caller)) {
			return
		}
		if c.hung == nil {
			continue
		}
		if err := c.hung(); err != nil {
			c.err = err
			return
		}
	}
}

// isEnding reports whether the thread tid is gone or about to end.
func isEnding(tid uint32) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	return err != nil || parseSignals(status).ending()
}

// signalSet has bit n-1 for signal n, as in /proc/PID/status.
type signalSet uint64

func signals(list ...syscall.Signal) (s signalSet) {
	for _, n := range list {
		s |= 1 << (n - 1)
	}
	return s
}

var (
	killing = signals(syscall.SIGKILL)
	// harmless do nothing, stop or continue a process that does not handle
	// them. All others end it.
	harmless = signals(syscall.SIGCHLD, syscall.SIGURG, syscall.SIGWINCH, syscall.SIGCONT,
		syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)
	// asking are meant to end what a process does, also one that handles
	// them.
	asking = signals(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
)

// signalState is what a thread does about signals.
type signalState struct {
	pending, blocked, ignored, caught signalSet
}

// ending reports whether a signal is pending that ends the process or is meant
// to end what it does.
func (s signalState) ending() bool {
	if s.pending&killing != 0 {
		return true
	}
	pending := s.pending &^ s.blocked &^ s.ignored
	return pending&s.caught&asking != 0 || pending&^s.caught&^harmless != 0
}

// parseSignals reads /proc/PID/status, see proc_pid_status(5).
func parseSignals(status []byte) (s signalState) {
	for line := range bytes.Lines(status) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		mask, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 16, 64)
		if err != nil {
			continue // another field
		}
		switch string(name) {
		case "SigPnd", "ShdPnd":
			s.pending |= signalSet(mask)
		case "SigBlk":
			s.blocked = signalSet(mask)
		case "SigIgn":
			s.ignored = signalSet(mask)
		case "SigCgt":
			s.caught = signalSet(mask)
		}
	}
	return s
}
