package fs

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
	"imgexportfs/fs/metrics"
	"imgexportfs/xcat"
)

// versionFile is what the nodes of files share that belong to one version.
type versionFile struct {
	gofs.Inode
	*mount
	version *version
}

// fail is errno for errors of the version.
func (f *versionFile) fail(err error) syscall.Errno {
	if errors.Is(err, source.ErrChanged) {
		f.distrust(err)
	}
	return f.errno(err)
}

// distrust has the next open find the present version, however long the kernel
// may keep what it knows: it looks names up again after an open that ends with
// ESTALE, and what stat would show of the names is invalidated.
func (f *versionFile) distrust(err error) {
	f.versions.distrust(f.version, err)
	if name, parent := f.Parent(); parent != nil {
		go func() { // not in a request for the same directory
			for _, n := range []string{name, f.version.name + xcat.BundleSuffix, f.version.name + xcat.ChecksumSuffix} {
				_ = parent.NotifyEntry(n)
			}
		}()
	}
}

// open returns the plan of the version, whose sources are as planned. The
// caller releases it.
func (f *versionFile) open(ctx context.Context, flags uint32) (*plan, error) {
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		return nil, syscall.EROFS // the mount is read-only, so the kernel refuses first
	}
	p, err := f.versions.planOf(ctx, f.version)
	if err != nil {
		return nil, err
	}
	err = f.versions.await(ctx, "open image "+f.version.view.image, func() error { return p.check(f.versions.site.Root()) }, func() {})
	if err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

// readPatience is how long a file may take to answer before reads that need it fail: a
// file server that starts again takes less.
const readPatience = 15 * time.Second

// hung returns an error that names a file of a reader that does not answer, or nil.
func (f *versionFile) hung(needs func(source.Call) bool) error {
	for _, call := range f.versions.stuck(readPatience) {
		if needs(call) {
			return fmt.Errorf("image %s: %s: %w", f.version.view.image, call.Path, errTimeout)
		}
	}
	return nil
}

// bundleFile is NAME.tgz in one version.
type bundleFile struct{ versionFile }

var _ = (gofs.NodeGetattrer)((*bundleFile)(nil))

func (f *bundleFile) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *bundleFile) attributes(ctx context.Context) (attributes, error) {
	v := f.version
	size, err := f.versions.size(ctx, v)
	return attributes{key: v.key(roleBundle, ""), kind: syscall.S_IFREG, size: size, time: v.modTime, valid: f.opts.Refresh}, err
}

var _ = (gofs.NodeOpener)((*bundleFile)(nil))

func (f *bundleFile) Open(ctx context.Context, flags uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	p, err := f.open(ctx, flags)
	if err != nil {
		return nil, 0, f.fail(err)
	}
	return &readerHandle{&f.versionFile, p, p.bundle.NewReader(), metrics.Bundle}, fuse.FOPEN_KEEP_CACHE, 0
}

// readerHandle reads what is made on demand.
type readerHandle struct {
	file   *versionFile
	plan   *plan // in use until Release
	reader *bundle.Reader
	kind   metrics.Kind
}

var _ = (gofs.FileReader)((*readerHandle)(nil))

func (h *readerHandle) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	ctx, done := wantedUnless(ctx, h.hung)
	defer done()
	began := time.Now()
	slice, err := h.reader.Read(ctx, dest, off)
	if err != nil {
		return nil, h.file.fail(err)
	}
	h.file.metrics.ReadDone(h.kind, slice.Len(), began)
	return sliceResult{slice}, 0
}

// hung names a file of the bundle that does not answer.
func (h *readerHandle) hung() error { return h.file.hung(h.plan.holds) }

var _ = (gofs.FileReleaser)((*readerHandle)(nil))

func (h *readerHandle) Release(context.Context) syscall.Errno {
	h.reader.Close()
	h.plan.release()
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
