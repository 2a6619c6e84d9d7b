package faultfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// The calls of a program that writes.
const (
	Create  Op = "create"
	Write   Op = "write"
	Setattr Op = "setattr"
	Fsync   Op = "fsync" // of a file or a directory
	Rename  Op = "rename"
	Unlink  Op = "unlink"
	Mkdir   Op = "mkdir"
	Statfs  Op = "statfs"
)

// MountWritable shows dir on the directory point like Mount, for programs that write
// there too: a disk that is full or fails. Fault.Short of a write takes half of the bytes.
// Files without a name (O_TMPFILE) cannot be made, as on a file server.
func MountWritable(dir, point string) (*FS, error) {
	f := &FS{raw: newRaw(dir)}
	server, err := fuse.NewServer(&writable{f.raw}, point, &fuse.MountOptions{
		DirectMount: true, FsName: "faultfs", Name: "faultfs", AllowOther: true,
		DisableReadDirPlus: true, MaxBackground: 64,
	})
	if err == nil {
		f.server = server
		go server.Serve()
		err = server.WaitMount()
	}
	if err != nil {
		return nil, fmt.Errorf("mount writable faultfs on %s: %w", point, err)
	}
	return f, nil
}

// writable answers the calls that write, and those whose answer differs when a program
// may write.
type writable struct{ *raw }

func (w *writable) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n := w.node(in.NodeId)
	if _, code := w.begin(cancel, Open, n.path); code != fuse.OK {
		return code
	}
	f, err := os.OpenFile(w.behind(n.path), int(in.Flags)&(syscall.O_ACCMODE|syscall.O_TRUNC), 0)
	if err != nil {
		return status(err)
	}
	out.Fh, out.OpenFlags = w.keep(&handle{file: f}), fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

func (w *writable) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	path := filepath.Join(w.node(in.NodeId).path, name)
	fault, code := w.begin(cancel, Create, path)
	if code != fuse.OK {
		return code
	}
	const kept = syscall.O_ACCMODE | syscall.O_TRUNC | syscall.O_EXCL
	f, err := os.OpenFile(w.behind(path), int(in.Flags)&kept|os.O_CREATE, os.FileMode(in.Mode&0o777))
	if err != nil {
		return status(err)
	}
	out.Fh, out.OpenFlags = w.keep(&handle{file: f}), fuse.FOPEN_DIRECT_IO
	return w.enter(fault, path, &out.EntryOut)
}

// enter describes a file that has just been made.
func (w *writable) enter(fault Fault, path string, out *fuse.EntryOut) fuse.Status {
	var st syscall.Stat_t
	if err := syscall.Lstat(w.behind(path), &st); err != nil {
		return status(err)
	}
	fault.describe(&out.Attr, &st)
	out.NodeId, out.Generation = w.id(node{path, st.Ino}), 1
	return fuse.OK
}

func (w *writable) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	call := Call{Op: Write, Path: "/" + w.node(in.NodeId).path, Off: int64(in.Offset), Len: len(data)}
	fault, code := w.script.begin(cancel, call)
	if code != fuse.OK {
		return 0, code
	}
	if fault.Short {
		data = data[:max(len(data)/2, 1)]
	}
	n, err := w.handle(in.Fh).file.WriteAt(data, int64(in.Offset))
	return uint32(n), status(err)
}

func (w *writable) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	path := w.node(in.NodeId).path
	fault, code := w.begin(cancel, Setattr, path)
	if code != fuse.OK {
		return code
	}
	if err := change(w.behind(path), in); err != nil {
		return status(err)
	}
	var st syscall.Stat_t
	if err := syscall.Lstat(w.behind(path), &st); err != nil {
		return status(err)
	}
	fault.describe(&out.Attr, &st)
	return fuse.OK
}

// change gives a file the attributes that a call names.
func change(path string, in *fuse.SetAttrIn) error {
	var errs []error
	if mode, ok := in.GetMode(); ok {
		errs = append(errs, unix.Chmod(path, mode))
	}
	uid, isUser := in.GetUID()
	gid, isGroup := in.GetGID()
	if isUser || isGroup {
		errs = append(errs, os.Lchown(path, int(int32(uid)), int(int32(gid)))) // -1 stays
	}
	if size, ok := in.GetSize(); ok {
		errs = append(errs, os.Truncate(path, int64(size)))
	}
	atime, isAccess := in.GetATime()
	mtime, isChange := in.GetMTime()
	if isAccess || isChange {
		errs = append(errs, os.Chtimes(path, known(atime, isAccess), known(mtime, isChange)))
	}
	return errors.Join(errs...)
}

// known is the time that a call names, or the one that os.Chtimes leaves as it is.
func known(t time.Time, is bool) time.Time {
	if is {
		return t
	}
	return time.Time{}
}

func (w *writable) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	_, code := w.begin(cancel, Fsync, w.node(in.NodeId).path)
	return code
}

func (w *writable) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return w.Fsync(cancel, in)
}

func (w *writable) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	from := filepath.Join(w.node(in.NodeId).path, oldName)
	to := filepath.Join(w.node(in.Newdir).path, newName)
	if _, code := w.begin(cancel, Rename, from); code != fuse.OK {
		return code
	}
	if in.Flags != 0 {
		return fuse.EINVAL
	}
	if err := os.Rename(w.behind(from), w.behind(to)); err != nil {
		return status(err)
	}
	w.moved(from, to)
	return fuse.OK
}

// moved has the nodes of a file follow it. The kernel goes on to use them.
func (w *writable) moved(from, to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, id := range w.ids {
		if n.path == from {
			delete(w.ids, n)
			n.path = to
			w.ids[n], w.nodes[id] = id, n
		}
	}
}

func (w *writable) Unlink(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	path := filepath.Join(w.node(h.NodeId).path, name)
	if _, code := w.begin(cancel, Unlink, path); code != fuse.OK {
		return code
	}
	return status(syscall.Unlink(w.behind(path)))
}

func (w *writable) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	path := filepath.Join(w.node(in.NodeId).path, name)
	fault, code := w.begin(cancel, Mkdir, path)
	if code != fuse.OK {
		return code
	}
	if err := os.Mkdir(w.behind(path), os.FileMode(in.Mode&0o777)); err != nil {
		return status(err)
	}
	return w.enter(fault, path, out)
}

// StatFs says how much room there is, by which programs decide what they may take.
func (w *writable) StatFs(cancel <-chan struct{}, h *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	path := w.node(h.NodeId).path
	if _, code := w.begin(cancel, Statfs, path); code != fuse.OK {
		return code
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(w.behind(path), &st); err != nil {
		return status(err)
	}
	out.FromStatfsT(&st)
	return fuse.OK
}
