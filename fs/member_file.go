package fs

import (
	"context"
	"fmt"
	"io"
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

// readBuffers hold what is read of sources. A read that hangs keeps its buffer when
// the request has its answer, so it cannot have that of the request.
var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

var _ = (gofs.FileReader)((*sourceHandle)(nil))

func (h *sourceHandle) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	ctx, done := wantedUnless(ctx, h.hung)
	defer done()
	began := time.Now()
	buf := readBuffers.Get().(*[readSize]byte)
	var n int
	var err error
	read := make(chan struct{})
	h.reads.Go(func() {
		defer close(read)
		err = blocks.Guarded(h.file.log, "read "+h.source.Path(), func() (err error) {
			n, err = h.source.ReadAt(buf[:min(len(dest), readSize)], off)
			return err
		})
	})
	soon := time.NewTimer(interruptPoll)
	defer soon.Stop()
	select {
	case <-read: // as most are, without a goroutine that watches the caller
	case <-soon.C:
		select {
		case <-read:
		case <-ctx.Done():
			return nil, h.file.fail(ctx.Err())
		}
	}
	if err != nil && err != io.EOF {
		return nil, h.file.fail(err)
	}
	h.file.metrics.ReadDone(metrics.Source, n, began)
	return sourceRead{buf, n}, 0
}

// hung says so when the source does not answer.
func (h *sourceHandle) hung() error {
	return h.file.hung(func(call source.Call) bool { return call.Path == h.source.Path() })
}

// sourceRead is what a read has found.
type sourceRead struct {
	buf *[readSize]byte
	n   int
}

var _ = (fuse.ReadResult)(sourceRead{})

// Bytes returns the data.
func (r sourceRead) Bytes([]byte) ([]byte, fuse.Status) { return r.buf[:r.n], fuse.OK }

// Slices lets the server write the data as it is. Without this method it calls Done
// before it writes, and another read would have the buffer by then.
func (r sourceRead) Slices() ([][]byte, fuse.Status) { return [][]byte{r.buf[:r.n]}, fuse.OK }

// Size is the number of bytes.
func (r sourceRead) Size() int { return r.n }

// Done is called when the kernel has the bytes.
func (r sourceRead) Done() { readBuffers.Put(r.buf) }

var _ = (gofs.FileReleaser)((*sourceHandle)(nil))

// Release closes the source when no read needs it any more.
func (h *sourceHandle) Release(context.Context) syscall.Errno {
	go func() {
		h.reads.Wait()
		_ = h.source.Close()
	}()
	return 0
}
