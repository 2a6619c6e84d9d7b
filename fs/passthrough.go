package fs

import (
	"context"
	"fmt"
	"sync"
	"syscall"

	"imgexportfs/bundle/source"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// With passthrough (Linux 6.9) the kernel reads the source of a member itself
// and never asks this process. That is as fast as reading the source, and it
// is also all that such a reader is promised: a source that is rewritten in
// place is read as it is at the moment, and this process can say so only when
// the reader closes the file. cp, cat and tar report that. rsync, web servers
// and programs that map a file do not look, and would keep a mixture of two states
// for good. So it is for those who ask for it.

// passes is whether the opens of one node are passed through. The first open
// decides for all: an inode that is open in one way cannot be opened in the
// other, the kernel answers EIO.
type passes struct {
	once sync.Once
	yes  bool // once it is decided
}

// decide reports whether source, which was opened for the node, is passed
// through.
func (p *passes) decide(m *mount, source *source.Handle) bool {
	p.once.Do(func() {
		if !m.opts.Passthrough {
			return
		}
		err := m.backable(source.Fd())
		if err != nil {
			m.log.Debug("the kernel cannot read this source by itself", "source", source.Path(), "error", err)
		}
		p.yes = err == nil
	})
	return p.yes
}

// backable reports as an error why the kernel cannot read fd in the place of
// a member: it is too old, this process is not root, or the file is on
// something like an overlay.
func (m *mount) backable(fd int) error {
	if err := opensDirect(fd); err != nil {
		return err
	}
	// go-fuse gives up passthrough for the whole mount when the kernel says
	// no once, also for inodes that are open in this way. So it must not be
	// the one to ask first.
	id, errno := m.server.RegisterBackingFd(&fuse.BackingMap{Fd: int32(fd)})
	if errno != 0 {
		return fmt.Errorf("register as backing file: %w", errno)
	}
	if errno := m.server.UnregisterBackingFd(id); errno != 0 {
		return fmt.Errorf("unregister as backing file: %w", errno)
	}
	return nil
}

// opensDirect reports as an error whether the file fd cannot be opened with
// O_DIRECT. The kernel opens the source with the flags of the reader, who may
// have that one, which every file system has on plain reads.
func opensDirect(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return fmt.Errorf("get flags: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_DIRECT); err != nil {
		return fmt.Errorf("open with O_DIRECT: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags); err != nil {
		return fmt.Errorf("set flags: %w", err)
	}
	return nil
}

// passedHandle is a source that the kernel reads by itself.
type passedHandle struct{ *sourceHandle }

var _ = (gofs.FilePassthroughFder)((*passedHandle)(nil))

// PassthroughFd hands the source to the kernel.
func (h *passedHandle) PassthroughFd() (int, bool) { return h.source.Fd(), true }

var _ = (gofs.FileFlusher)((*passedHandle)(nil))

// Flush answers close(2), which is where the reader can still be told.
func (h *passedHandle) Flush(context.Context) syscall.Errno { return h.file.fail(h.source.Check()) }
