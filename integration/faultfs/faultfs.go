// Package faultfs shows a directory as a read-only FUSE file system that misbehaves
// on command: calls fail, hang, take their time, or give other answers than the
// directory. The kernel keeps nothing of it, so that each call of a program is a call
// here, and counting calls reaches every one of them.
//
// It is a tool of tests: what is behind it is changed directly, in its own directory.
package faultfs

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Op is a kind of call.
type Op string

// The calls of a program that reads.
const (
	Lookup    Op = "lookup"
	Getattr   Op = "getattr"
	Open      Op = "open"
	Read      Op = "read"
	Opendir   Op = "opendir"
	Readdir   Op = "readdir"
	Readlink  Op = "readlink"
	Getxattr  Op = "getxattr"
	Listxattr Op = "listxattr"
	Lseek     Op = "lseek"
)

// Call is one call.
type Call struct {
	N    int // counted from 1, since the script was set
	Op   Op
	Path string // below the file system, with a slash before it
	Off  int64  // of a read
	Len  int
}

func (c Call) String() string {
	s := fmt.Sprintf("call %d: %s %s", c.N, c.Op, c.Path)
	if c.Op == Read {
		s += fmt.Sprintf(" [%d+%d]", c.Off, c.Len)
	}
	return s
}

// Fault is what happens to a call. The zero value is nothing.
type Fault struct {
	Errno   syscall.Errno // the answer
	Delay   time.Duration // before the answer
	Hang    bool          // no answer until the script is set anew
	Short   bool          // a read gives half of its bytes, and at least one
	Grow    int64         // what lookup and getattr add to the size
	Flip    bool          // each byte of a read is another one
	Reverse bool          // a directory has its names in the other order
	Coarse  bool          // lookup and getattr give times in whole seconds
}

// Script says what happens to a call.
type Script func(Call) Fault

// FS is a mounted file system.
type FS struct {
	raw    *raw
	server *fuse.Server
}

// Mount shows dir on the directory point.
func Mount(dir, point string) (*FS, error) {
	f := &FS{raw: newRaw(dir)}
	server, err := fuse.NewServer(f.raw, point, &fuse.MountOptions{
		DirectMount: true, FsName: "faultfs", Name: "faultfs", AllowOther: true,
		DisableReadDirPlus: true, MaxBackground: 64,
	})
	if err != nil {
		return nil, fmt.Errorf("mount faultfs on %s: %w", point, err)
	}
	f.server = server
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		return nil, fmt.Errorf("mount faultfs on %s: %w", point, err)
	}
	return f, nil
}

// Set begins to count anew and has script, or nothing if it is nil, happen to the
// calls from now on. Calls that hang go on.
func (f *FS) Set(script Script) { f.raw.script.set(script) }

// Calls returns the calls since Set.
func (f *FS) Calls() []Call { return f.raw.script.list() }

// Close unmounts.
func (f *FS) Close() error {
	f.Set(nil)
	return f.server.Unmount()
}

// At is a script with one fault, for the n-th call and the next one: after a lookup
// that fails the kernel forgets what it knew of the name, and looks it up again.
func At(n int, fault Fault) Script {
	return func(c Call) Fault {
		if c.N == n || c.N == n+1 {
			return fault
		}
		return Fault{}
	}
}

// On is a script with one fault, for all calls of a kind below a path.
func On(op Op, path string, fault Fault) Script {
	return func(c Call) Fault {
		if c.Op == op && strings.HasPrefix(c.Path, path) {
			return fault
		}
		return Fault{}
	}
}

// scripted counts calls and looks up what happens to them.
type scripted struct {
	mu     sync.Mutex // guards what follows
	script Script
	calls  []Call
	anew   chan struct{} // closed when the script is set anew
}

func (s *scripted) set(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script, s.calls = script, nil
	close(s.anew)
	s.anew = make(chan struct{})
}

func (s *scripted) list() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// begin counts a call and lets the time pass that its fault takes. A call that hangs
// ends early when its caller is interrupted.
func (s *scripted) begin(cancel <-chan struct{}, c Call) (Fault, fuse.Status) {
	s.mu.Lock()
	c.N = len(s.calls) + 1
	s.calls = append(s.calls, c)
	script, anew := s.script, s.anew
	s.mu.Unlock()
	if script == nil {
		return Fault{}, fuse.OK
	}
	fault := script(c)
	var enough <-chan time.Time
	if !fault.Hang {
		enough = time.After(fault.Delay)
	}
	select {
	case <-anew:
	case <-enough:
	case <-cancel:
		return fault, fuse.EINTR
	}
	return fault, fuse.Status(fault.Errno)
}
