package fs

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"imgexportfs/bundle"
	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/source"
	"imgexportfs/fs/metrics"
)

// memberLink is a symbolic link among the members.
type memberLink struct {
	member
	target string
}

var _ = (gofs.NodeReadlinker)((*memberLink)(nil))

func (l *memberLink) Readlink(context.Context) ([]byte, syscall.Errno) { return []byte(l.target), 0 }

// memberSpecial is a fifo or a device among the members. The kernel opens such a file
// by itself: a fifo has no bytes, and the mount is one without devices (nodev).
type memberSpecial struct{ member }

var _ = (node)((*memberSpecial)(nil))

// deviceNumber is the number of a device as FUSE and the kernel write it.
func deviceNumber(m bundle.Member) uint32 { return uint32(unix.Mkdev(m.Major, m.Minor)) }

// memberFile is a file among the members.
type memberFile struct {
	member
	passes passes // for sources
}

var _ = (gofs.NodeOpener)((*memberFile)(nil))

func (f *memberFile) Open(ctx context.Context, _ uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	p, err := f.versions.planOf(ctx, f.version)
	if err != nil {
		return nil, 0, f.fail(err)
	}
	handle, err := f.handle(ctx, p)
	if err != nil {
		p.release()
		return nil, 0, f.fail(err)
	}
	return handle, fuse.FOPEN_KEEP_CACHE, 0
}

// handle opens the member. The plan is for the handle to release, if there is
// no error.
func (f *memberFile) handle(ctx context.Context, p *plan) (gofs.FileHandle, error) {
	found, _ := p.members.find(f.name())
	switch content := found.Content.(type) {
	case bundle.Bytes:
		defer p.release()
		return &textHandle{content, f.metrics}, nil
	case *bundle.Tree:
		return &readerHandle{&f.versionFile, p, f.engine.NewTreeReader(content), metrics.Tree}, nil
	case bundle.File:
		var opened *source.Handle
		err := f.versions.await(ctx, "open "+content.Path(),
			func() (err error) { opened, err = content.Open(); return err },
			func() { _ = opened.Close() })
		if err != nil {
			return nil, err
		}
		p.release()
		return f.sourceHandle(opened), nil
	default:
		return nil, fmt.Errorf("member %s: content of type %T", f.name(), content)
	}
}

// sourceHandle returns the handle that reads a source in the way of this node.
func (f *memberFile) sourceHandle(h *source.Handle) gofs.FileHandle {
	plain := &sourceHandle{file: &f.versionFile, source: h}
	if f.passes.decide(f.mount, h) {
		return &passedHandle{plain}
	}
	return plain
}

// sourceHandle reads a source file as it is.
type sourceHandle struct {
	file   *versionFile
	source *source.Handle
	reads  sync.WaitGroup // in progress, also those whose request has gone
}

var _ = (gofs.FileReader)((*sourceHandle)(nil))

func (h *sourceHandle) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	ctx, done := wantedUnless(ctx, h.hung)
	defer done()
	began := time.Now()
	r, err := h.file.reads.begin(ctx, h.isStuck)
	if err != nil {
		return nil, h.file.fail(err)
	}
	h.reads.Go(func() {
		r.run(func() error {
			return blocks.Guarded(h.file.log, "read "+h.source.Path(), func() (err error) {
				r.n, err = h.source.ReadAt(r.buf[:min(len(dest), readSize)], off)
				return err
			})
		})
	})
	if err := r.wait(ctx); err != nil && err != io.EOF {
		r.Done()
		return nil, h.file.fail(err)
	}
	h.file.metrics.ReadDone(metrics.Source, r.n, began)
	return r, 0
}

// isStuck reports whether a read of the source takes longer than it should.
func (h *sourceHandle) isStuck() bool {
	return slices.ContainsFunc(h.file.versions.stuck(readStuckAfter), h.isOf)
}

func (h *sourceHandle) isOf(call source.Call) bool { return call.Path == h.source.Path() }

// hung says so when the source does not answer.
func (h *sourceHandle) hung() error { return h.file.hung(h.isOf) }

var _ = (gofs.FileReleaser)((*sourceHandle)(nil))

// Release closes the source when no read needs it any more.
func (h *sourceHandle) Release(context.Context) syscall.Errno {
	go func() {
		h.reads.Wait()
		_ = h.source.Close()
	}()
	return 0
}
