package fs

import (
	"os"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"imgexportfs/fs/metrics"
)

// requests counts the requests of the kernel, and refuses those of this process's own
// threads with EDEADLK. Such a request waits for an answer of the process that sent it,
// perhaps for ever. Package source looks at no mount of this kind, so that none should
// come; if one comes all the same, a look fails and the mount goes on. A read needs no
// check, because it needs an open file.
//
// The kernel gives the thread of a request, as a number in the mount's namespace of
// processes. To ask whose it is takes one of the cheapest system calls, 1.2 µs.
type requests struct {
	fuse.RawFileSystem
	metrics *metrics.Metrics
}

// deadlock is the answer to an own thread.
const deadlock = fuse.Status(unix.EDEADLK)

func (r requests) Lookup(cancel <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	r.metrics.Request(metrics.Lookup)
	if isOwnThread(in.Pid) {
		return deadlock
	}
	return r.RawFileSystem.Lookup(cancel, in, name, out)
}

func (r requests) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	r.metrics.Request(metrics.Stat)
	if refuses(in.InHeader) {
		return deadlock
	}
	return r.RawFileSystem.GetAttr(cancel, in, out)
}

func (r requests) Statx(cancel <-chan struct{}, in *fuse.StatxIn, out *fuse.StatxOut) fuse.Status {
	if refuses(in.InHeader) {
		return deadlock
	}
	return r.RawFileSystem.Statx(cancel, in, out)
}

func (r requests) Access(cancel <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	if refuses(in.InHeader) {
		return deadlock
	}
	return r.RawFileSystem.Access(cancel, in)
}

func (r requests) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	r.metrics.Request(metrics.Open)
	if isOwnThread(in.Pid) {
		return deadlock
	}
	return r.RawFileSystem.Open(cancel, in, out)
}

func (r requests) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	r.metrics.Request(metrics.List)
	if isOwnThread(in.Pid) {
		return deadlock
	}
	return r.RawFileSystem.OpenDir(cancel, in, out)
}

func (r requests) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	r.metrics.Request(metrics.Read)
	return r.RawFileSystem.Read(cancel, in, buf)
}

// ownProcess is the number of this process.
var ownProcess = os.Getpid()

// isOwnThread reports whether a thread belongs to this process. The kernel sends no
// signal 0, but says whether it could. Unlike /proc, it counts in the namespace of
// this process. Number 0 is the kernel itself, or a process outside of the namespace.
func isOwnThread(tid uint32) bool {
	return int32(tid) > 0 && unix.Tgkill(ownProcess, int(tid), 0) == nil
}

// refuses reports whether a request for attributes is refused. What the root has is
// answered without a look, and go-fuse asks for it when a mount begins.
func refuses(in fuse.InHeader) bool { return in.NodeId != fuse.FUSE_ROOT_ID && isOwnThread(in.Pid) }
