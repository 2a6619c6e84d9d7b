package fs

import (
	"context"
	"encoding/hex"
	"strings"
	"syscall"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// textFile is NAME.errors.
type textFile struct {
	gofs.Inode
	*mount
	ino  uint64
	text string
}

var _ = (gofs.NodeGetattrer)((*textFile)(nil))

func (f *textFile) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *textFile) attributes(context.Context) (attributes, error) {
	return attributes{ino: f.ino, kind: syscall.S_IFREG, size: int64(len(f.text)), time: f.started}, nil
}

var _ = (gofs.NodeOpener)((*textFile)(nil))

func (f *textFile) Open(_ context.Context, flags uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	return &textHandle{[]byte(f.text)}, fuse.FOPEN_KEEP_CACHE, readOnly(flags)
}

// textHandle reads from memory.
type textHandle struct{ text []byte }

var _ = (gofs.FileReader)((*textHandle)(nil))

func (h *textHandle) Read(_ context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if off >= int64(len(h.text)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(h.text[off:min(off+int64(len(dest)), int64(len(h.text)))]), 0
}

// checksumFile is NAME.tgz.sha256. Its size is known without the hash, which
// is made when it is first read.
type checksumFile struct {
	gofs.Inode
	*mount
	version *version
}

var _ = (gofs.NodeGetattrer)((*checksumFile)(nil))

func (f *checksumFile) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *checksumFile) attributes(context.Context) (attributes, error) {
	size := len(checksumLine(f.version.export.Name+bundleSuffix, [32]byte{}))
	return attributes{ino: f.version.ino + inoChecksum, kind: syscall.S_IFREG, size: int64(size), time: f.version.modTime()}, nil
}

var _ = (gofs.NodeOpener)((*checksumFile)(nil))

func (f *checksumFile) Open(_ context.Context, flags uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, readOnly(flags)
}

var _ = (gofs.NodeReader)((*checksumFile)(nil))

func (f *checksumFile) Read(ctx context.Context, _ gofs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	sum, err := f.version.bundle.SHA256(ctx)
	if err != nil {
		return nil, f.errno(err)
	}
	h := textHandle{[]byte(checksumLine(f.version.export.Name+bundleSuffix, sum))}
	return h.Read(ctx, dest, off)
}

// checksumLine is a line as sha256sum(1) writes and checks it, who escapes
// backslashes in names and marks that with another one in front.
func checksumLine(name string, sum [32]byte) string {
	mark := ""
	if strings.Contains(name, `\`) {
		mark, name = `\`, strings.ReplaceAll(name, `\`, `\\`)
	}
	return mark + hex.EncodeToString(sum[:]) + "  " + name + "\n"
}
