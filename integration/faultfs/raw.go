package faultfs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// raw answers the kernel. A node is a file at a path: another file that takes the
// path's place is another node, and the old one is stale, as on a file server.
type raw struct {
	fuse.RawFileSystem
	dir    string
	script scripted

	mu      sync.Mutex // guards what follows
	ids     map[node]uint64
	nodes   map[uint64]node
	handles map[uint64]*handle
	last    uint64
}

type node struct {
	path string // "" for the root
	ino  uint64
}

// handle is an open file or the names of an open directory.
type handle struct {
	file  *os.File
	names []fuse.DirEntry
}

func newRaw(dir string) *raw {
	return &raw{
		RawFileSystem: fuse.NewDefaultRawFileSystem(), dir: dir,
		script: scripted{anew: make(chan struct{})},
		ids:    map[node]uint64{}, nodes: map[uint64]node{fuse.FUSE_ROOT_ID: {}}, handles: map[uint64]*handle{},
		last: fuse.FUSE_ROOT_ID,
	}
}

func (r *raw) String() string { return "faultfs" }

func (r *raw) node(id uint64) node {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nodes[id]
}

func (r *raw) behind(path string) string { return filepath.Join(r.dir, path) }

// begin is called by each call for a node.
func (r *raw) begin(cancel <-chan struct{}, op Op, path string) (Fault, fuse.Status) {
	return r.script.begin(cancel, Call{Op: op, Path: "/" + path})
}

func status(err error) fuse.Status {
	var errno syscall.Errno
	switch {
	case err == nil:
		return fuse.OK
	case errors.As(err, &errno):
		return fuse.Status(errno)
	}
	return fuse.EIO
}

func (r *raw) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	path := filepath.Join(r.node(h.NodeId).path, name)
	fault, code := r.begin(cancel, Lookup, path)
	if code != fuse.OK {
		return code
	}
	var st syscall.Stat_t
	if err := syscall.Lstat(r.behind(path), &st); err != nil {
		return status(err)
	}
	fault.describe(&out.Attr, &st)
	out.NodeId, out.Generation = r.id(node{path, st.Ino}), 1
	return fuse.OK
}

// describe fills in what lookup and getattr say of a file.
func (f Fault) describe(out *fuse.Attr, st *syscall.Stat_t) {
	out.FromStat(st)
	out.Size = uint64(int64(out.Size) + f.Grow)
	if f.Coarse {
		out.Mtimensec, out.Ctimensec = 0, 0
	}
}

func (r *raw) id(n node) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, known := r.ids[n]
	if !known {
		r.last++
		id = r.last
		r.ids[n], r.nodes[id] = id, n
	}
	return id
}

func (r *raw) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	n := r.node(in.NodeId)
	fault, code := r.begin(cancel, Getattr, n.path)
	if code != fuse.OK {
		return code
	}
	var st syscall.Stat_t
	if err := syscall.Lstat(r.behind(n.path), &st); err != nil {
		return status(err)
	}
	if n.path != "" && st.Ino != n.ino {
		return fuse.Status(syscall.ESTALE)
	}
	fault.describe(&out.Attr, &st)
	return fuse.OK
}

func (r *raw) Readlink(cancel <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	n := r.node(h.NodeId)
	if _, code := r.begin(cancel, Readlink, n.path); code != fuse.OK {
		return nil, code
	}
	target, err := os.Readlink(r.behind(n.path))
	return []byte(target), status(err)
}

func (r *raw) GetXAttr(cancel <-chan struct{}, h *fuse.InHeader, attr string, dest []byte) (uint32, fuse.Status) {
	n := r.node(h.NodeId)
	if _, code := r.begin(cancel, Getxattr, n.path); code != fuse.OK {
		return 0, code
	}
	size, err := unix.Lgetxattr(r.behind(n.path), attr, dest)
	return uint32(max(size, 0)), status(err)
}

func (r *raw) ListXAttr(cancel <-chan struct{}, h *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	n := r.node(h.NodeId)
	if _, code := r.begin(cancel, Listxattr, n.path); code != fuse.OK {
		return 0, code
	}
	size, err := unix.Llistxattr(r.behind(n.path), dest)
	return uint32(max(size, 0)), status(err)
}

func (r *raw) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n := r.node(in.NodeId)
	if _, code := r.begin(cancel, Open, n.path); code != fuse.OK {
		return code
	}
	f, err := os.Open(r.behind(n.path))
	if err != nil {
		return status(err)
	}
	out.Fh, out.OpenFlags = r.keep(&handle{file: f}), fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

func (r *raw) keep(h *handle) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.handles[r.last] = h
	return r.last
}

func (r *raw) handle(id uint64) *handle {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.handles[id]
}

func (r *raw) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	n := r.node(in.NodeId)
	fault, code := r.script.begin(cancel, Call{Op: Read, Path: "/" + n.path, Off: int64(in.Offset), Len: int(in.Size)})
	if code != fuse.OK {
		return nil, code
	}
	buf = buf[:in.Size]
	if fault.Short {
		buf = buf[:max(len(buf)/2, 1)]
	}
	got, err := unix.Pread(int(r.handle(in.Fh).file.Fd()), buf, int64(in.Offset))
	if err != nil {
		return nil, status(err)
	}
	if fault.Flip {
		for i := range buf[:got] {
			buf[i] ^= 0x55
		}
	}
	return fuse.ReadResultData(buf[:got]), fuse.OK
}

func (r *raw) Lseek(cancel <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	n := r.node(in.NodeId)
	if _, code := r.begin(cancel, Lseek, n.path); code != fuse.OK {
		return code
	}
	off, err := unix.Seek(int(r.handle(in.Fh).file.Fd()), int64(in.Offset), int(in.Whence))
	out.Offset = uint64(max(off, 0))
	return status(err)
}

func (r *raw) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	if h := r.release(in.Fh); h != nil {
		_ = h.file.Close()
	}
}

func (r *raw) ReleaseDir(in *fuse.ReleaseIn) { r.release(in.Fh) }

func (r *raw) release(id uint64) *handle {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.handles[id]
	delete(r.handles, id)
	return h
}

func (r *raw) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n := r.node(in.NodeId)
	if _, code := r.begin(cancel, Opendir, n.path); code != fuse.OK {
		return code
	}
	list, err := os.ReadDir(r.behind(n.path))
	if err != nil {
		return status(err)
	}
	names := []fuse.DirEntry{{Name: ".", Mode: fuse.S_IFDIR}, {Name: "..", Mode: fuse.S_IFDIR}}
	for _, e := range list {
		names = append(names, fuse.DirEntry{Name: e.Name()}) // of unknown type
	}
	out.Fh = r.keep(&handle{names: names})
	return fuse.OK
}

func (r *raw) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	n := r.node(in.NodeId)
	fault, code := r.begin(cancel, Readdir, n.path)
	if code != fuse.OK {
		return code
	}
	names := slices.Clone(r.handle(in.Fh).names)
	if fault.Reverse {
		slices.Reverse(names)
	}
	for i := int(in.Offset); i < len(names); i++ {
		names[i].Ino, names[i].Off = uint64(i)+2, uint64(i)+1
		if !out.AddDirEntry(names[i]) {
			break
		}
	}
	return fuse.OK
}

func (r *raw) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	out.Bsize, out.NameLen = 4096, 255
	return fuse.OK
}
