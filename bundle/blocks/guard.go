package blocks

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"syscall"
)

// ErrPanic is what those get who wait for work that has panicked.
type ErrPanic struct{ Value any }

func (e ErrPanic) Error() string {
	return fmt.Sprintf("internal error: %v; please report this", e.Value)
}

// Unwrap says that it is an error of input and output, which may pass.
func (e ErrPanic) Unwrap() error { return syscall.EIO }

// Guarded runs f and returns its error. A panic becomes an ErrPanic, and its stack
// goes to the log. What runs on a goroutine of its own runs in it; go-fuse does
// the same for requests.
func Guarded(log *slog.Logger, what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			log.Error("a panic was caught; please report this", "in", what, "panic", v, "stack", string(debug.Stack()))
			err = ErrPanic{v}
		}
	}()
	growStack()
	return f()
}

// growStack has the stack of a new goroutine grow once, while there is little on it that must
// be copied; below f it would grow two or three times. The first ls -l of 10,000 images took
// 4.2 s of the processors without this, and 3.6 s with it.
//
//go:noinline
func growStack() {
	var room [8 << 10]byte
	runtime.KeepAlive(&room)
}
