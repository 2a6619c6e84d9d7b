package fs

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/fs/metrics"
	"imgexportfs/xcat"
)

// textFile is NAME.errors.
type textFile struct {
	gofs.Inode
	*mount
	of   view
	text string
	time time.Time
}

var _ = (gofs.NodeGetattrer)((*textFile)(nil))

func (f *textFile) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *textFile) attributes(context.Context) (attributes, error) {
	key := inodeKey{role: roleErrors, view: f.of, name: f.time.String() + f.text}
	return attributes{key: key, kind: syscall.S_IFREG, size: int64(len(f.text)), time: f.time, valid: f.opts.Refresh}, nil
}

var _ = (gofs.NodeOpener)((*textFile)(nil))

func (f *textFile) Open(context.Context, uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	return &textHandle{[]byte(f.text), f.metrics}, fuse.FOPEN_KEEP_CACHE, 0
}

// textHandle reads from memory.
type textHandle struct {
	text    []byte
	metrics *metrics.Metrics // nil if the reads are not counted
}

var _ = (gofs.FileReader)((*textHandle)(nil))

func (h *textHandle) Read(_ context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	began := time.Now()
	off = min(off, int64(len(h.text)))
	piece := h.text[off:min(off+int64(len(dest)), int64(len(h.text)))]
	if h.metrics != nil {
		h.metrics.ReadDone(metrics.Text, len(piece), began)
	}
	return fuse.ReadResultData(piece), 0
}

// checksumFile is NAME.tgz.sha256. Its size is known without the hash, which
// is made when it is first read.
type checksumFile struct{ versionFile }

var _ = (gofs.NodeGetattrer)((*checksumFile)(nil))

func (f *checksumFile) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *checksumFile) attributes(context.Context) (attributes, error) {
	v := f.version
	size := len(checksumLine(v.name+xcat.BundleSuffix, [32]byte{}))
	return attributes{key: v.key(roleChecksum, ""), kind: syscall.S_IFREG, size: int64(size), time: v.modTime, valid: f.opts.Refresh}, nil
}

var _ = (gofs.NodeOpener)((*checksumFile)(nil))

func (f *checksumFile) Open(ctx context.Context, flags uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	p, err := f.open(ctx, flags)
	if err != nil {
		return nil, 0, f.fail(err)
	}
	// The kernel does not read ahead then, and so it says when the reader has gone.
	return &checksumHandle{f, p}, fuse.FOPEN_DIRECT_IO, 0
}

// checksumHandle is an open checksumFile.
type checksumHandle struct {
	file *checksumFile
	plan *plan // in use until Release
}

var _ = (gofs.FileReader)((*checksumHandle)(nil))

func (h *checksumHandle) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	sum, err := h.plan.bundle.SHA256(ctx)
	if err != nil {
		return nil, h.file.fail(err)
	}
	text := textHandle{[]byte(checksumLine(h.plan.name+xcat.BundleSuffix, sum)), h.file.metrics}
	return text.Read(ctx, dest, off)
}

var _ = (gofs.FileReleaser)((*checksumHandle)(nil))

func (h *checksumHandle) Release(context.Context) syscall.Errno {
	h.plan.release()
	return 0
}

// checksumLine is a line as sha256sum(1) writes and checks it: it escapes
// backslashes in names and marks that with another one in front.
func checksumLine(name string, sum [32]byte) string {
	mark := ""
	if strings.Contains(name, `\`) {
		mark, name = `\`, strings.ReplaceAll(name, `\`, `\\`)
	}
	return mark + hex.EncodeToString(sum[:]) + "  " + name + "\n"
}

// printable returns the text on one line, without what a terminal obeys: control
// characters, invisible and direction-changing ones, and what is not UTF-8 are written as
// escapes.
func printable(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == utf8.RuneError && n == 1, r < 0x80 && unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case !strconv.IsPrint(r):
			quoted := strconv.QuoteRune(r) // '\u202e'
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}
