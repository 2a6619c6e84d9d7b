package fs

import (
	"context"
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
	slice, err := h.reader.Read(ctx, dest, off)
	if err != nil {
		return nil, h.errno(err)
	}
	return sliceResult{slice}, 0
}

var _ = (gofs.FileReleaser)((*readerHandle)(nil))

func (h *readerHandle) Release(context.Context) syscall.Errno {
	h.reader.Close()
	return 0
}

// sliceResult hands bytes to the kernel from where they are.
type sliceResult struct{ *bundle.Slice }

var _ = (fuse.ReadResult)(sliceResult{})

// Bytes returns the data in one piece.
func (s sliceResult) Bytes(buf []byte) ([]byte, fuse.Status) {
	buf = buf[:0]
	for _, p := range s.Pieces {
		buf = append(buf, p...)
	}
	return buf, fuse.OK
}

// Slices lets the server write the data as it is, with one system call.
func (s sliceResult) Slices() ([][]byte, fuse.Status) { return s.Pieces, fuse.OK }

// Size is the number of bytes.
func (s sliceResult) Size() int { return s.Len() }

// Done is called when the kernel has the bytes.
func (s sliceResult) Done() { s.Release() }
