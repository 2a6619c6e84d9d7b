package fs

import (
	"context"
	"fmt"
	"io"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

// memberLink is a symbolic link among the members.
type memberLink struct {
	gofs.Inode
	memberOf
}

var _ = (gofs.NodeReadlinker)((*memberLink)(nil))

func (l *memberLink) Readlink(context.Context) ([]byte, syscall.Errno) {
	return []byte(l.member().Target), 0
}

// memberFile is a file among the members.
type memberFile struct {
	gofs.Inode
	memberOf
	passes passes // for sources
}

var _ = (gofs.NodeOpener)((*memberFile)(nil))

func (f *memberFile) Open(_ context.Context, flags uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	if errno := readOnly(flags); errno != 0 {
		return nil, 0, errno
	}
	switch content := f.member().Content.(type) {
	case bundle.Bytes:
		return &textHandle{content}, fuse.FOPEN_KEEP_CACHE, 0
	case *bundle.Tree:
		return &readerHandle{f.mount, f.engine.NewTreeReader(content)}, fuse.FOPEN_KEEP_CACHE, 0
	case bundle.File:
		handle, err := content.Open()
		if err != nil {
			return nil, 0, f.errno(err)
		}
		return f.sourceHandle(handle), fuse.FOPEN_KEEP_CACHE, 0
	default:
		return nil, 0, f.errno(fmt.Errorf("member %s: content of type %T", f.member().Name, content))
	}
}

// sourceHandle returns the handle that reads a source in the way of this node.
func (f *memberFile) sourceHandle(h *source.Handle) gofs.FileHandle {
	plain := sourceHandle{f.mount, h}
	if f.passes.decide(f.mount, h) {
		return &passedHandle{plain}
	}
	return &plain
}

// sourceHandle reads a source file as it is.
type sourceHandle struct {
	*mount
	source *source.Handle
}

var _ = (gofs.FileReader)((*sourceHandle)(nil))

func (h *sourceHandle) Read(_ context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n, err := h.source.ReadAt(dest, off)
	if err != nil && err != io.EOF {
		return nil, h.errno(err)
	}
	return fuse.ReadResultData(dest[:n]), 0
}

var _ = (gofs.FileReleaser)((*sourceHandle)(nil))

func (h *sourceHandle) Release(context.Context) syscall.Errno { return h.errno(h.source.Close()) }
