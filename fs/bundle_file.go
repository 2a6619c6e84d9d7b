package fs

import (
	"context"
	"io"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/bundle"
)

// bundleFile is NAME.tgz in one version.
type bundleFile struct {
	gofs.Inode
	*mount
	version *version
}

var _ = (gofs.NodeGetattrer)((*bundleFile)(nil))

func (f *bundleFile) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *bundleFile) attributes(ctx context.Context) (attributes, error) {
	size, err := f.version.bundle.Size(ctx)
	if err != nil {
		return attributes{}, err
	}
	return attributes{ino: f.version.ino + inoBundle, kind: syscall.S_IFREG, size: size, time: f.version.modTime()}, nil
}

var _ = (gofs.NodeOpener)((*bundleFile)(nil))

func (f *bundleFile) Open(_ context.Context, flags uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	if errno := readOnly(flags); errno != 0 {
		return nil, 0, errno
	}
	return &readerHandle{f.mount, f.version.bundle.NewReader()}, fuse.FOPEN_KEEP_CACHE, 0
}

// readOnly refuses to open for writing. The mount is read-only, so the kernel
// refuses first.
func readOnly(flags uint32) syscall.Errno {
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		return syscall.EROFS
	}
	return 0
}

// readerHandle reads what is made on the way.
type readerHandle struct {
	*mount
	reader *bundle.Reader
}

var _ = (gofs.FileReader)((*readerHandle)(nil))

func (h *readerHandle) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	pieces, done, err := h.reader.View(ctx, len(dest), off)
	if err != nil {
		return nil, h.errno(err)
	}
	if pieces != nil {
		return &viewResult{pieces, done}, 0
	}
	n, err := h.reader.ReadAt(ctx, dest, off)
	if err != nil && err != io.EOF {
		return nil, h.errno(err)
	}
	return fuse.ReadResultData(dest[:n]), 0
}

var _ = (gofs.FileReleaser)((*readerHandle)(nil))

func (h *readerHandle) Release(context.Context) syscall.Errno {
	h.reader.Close()
	return 0
}

// viewResult hands bytes to the kernel from where they are.
type viewResult struct {
	pieces [][]byte
	done   func()
}

var _ = (fuse.ReadResult)((*viewResult)(nil))

// Bytes returns the data in one piece.
func (v *viewResult) Bytes(buf []byte) ([]byte, fuse.Status) {
	buf = buf[:0]
	for _, p := range v.pieces {
		buf = append(buf, p...)
	}
	return buf, fuse.OK
}

// Slices lets the server write the data as it is, with one system call.
func (v *viewResult) Slices() ([][]byte, fuse.Status) { return v.pieces, fuse.OK }

// Size is the number of bytes.
func (v *viewResult) Size() (n int) {
	for _, p := range v.pieces {
		n += len(p)
	}
	return n
}

// Done is called when the kernel has the bytes.
func (v *viewResult) Done() { v.done() }
