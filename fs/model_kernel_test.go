package fs

import (
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// kernel sends the requests that the kernel would, and remembers names and attributes for
// as long as the answers say. Programs that use the mount at the same time share one.
type kernel struct {
	raw fuse.RawFileSystem

	mu      sync.Mutex // guards what follows; never held during a request
	nodes   map[uint64]*knode
	entries map[string]*kentry
}

// knode is an inode in the kernel's cache.
type knode struct {
	id, ino, gen uint64
	lookups      uint64 // that forget has to take back
	pins         int    // of open files and requests
	size, mtime  uint64
	attributes   time.Time // until when they may be shown
}

// kentry is a name in the kernel's cache.
type kentry struct {
	name   string
	parent uint64
	node   *knode
	until  time.Time
}

func newKernel() *kernel {
	root := &knode{id: fuse.FUSE_ROOT_ID, pins: 1}
	return &kernel{nodes: map[uint64]*knode{root.id: root}, entries: map[string]*kentry{}}
}

// walk returns the inode that a path leads to, which the caller unpins. looked says that
// the last name was looked up for that. With anew all names are looked up.
func (k *kernel) walk(cancel <-chan struct{}, path string, anew bool) (n *knode, looked bool, st fuse.Status) {
	k.mu.Lock()
	parent := k.nodes[fuse.FUSE_ROOT_ID]
	parent.pins++
	k.mu.Unlock()
	prefix := ""
	for name := range strings.SplitSeq(path, "/") {
		prefix += "/" + name
		n, looked, st = k.step(cancel, parent, prefix, name, anew)
		k.unpin(parent)
		if st != fuse.OK {
			return nil, looked, st
		}
		parent = n
	}
	return n, looked, fuse.OK
}

// step returns what a name in a directory stands for.
func (k *kernel) step(cancel <-chan struct{}, parent *knode, path, name string, anew bool) (*knode, bool, fuse.Status) {
	k.mu.Lock()
	if e := k.entries[path]; e != nil && !anew && e.parent == parent.id && time.Now().Before(e.until) {
		defer k.mu.Unlock()
		e.node.pins++
		return e.node, false, fuse.OK
	}
	k.mu.Unlock()
	var out fuse.EntryOut
	st := k.raw.Lookup(cancel, &fuse.InHeader{NodeId: parent.id}, name, &out)
	k.mu.Lock()
	defer k.mu.Unlock()
	if st != fuse.OK {
		delete(k.entries, path)
		return nil, true, st
	}
	n := k.nodes[out.NodeId]
	if n == nil {
		n = &knode{id: out.NodeId}
		k.nodes[n.id] = n
	}
	n.lookups++
	n.pins++
	n.ino, n.gen, n.size, n.mtime = out.Ino, out.Generation, out.Size, out.Mtime
	n.attributes = time.Now().Add(out.AttrTimeout())
	k.entries[path] = &kentry{name: name, parent: parent.id, node: n, until: time.Now().Add(out.EntryTimeout())}
	return n, true, fuse.OK
}

func (k *kernel) unpin(n *knode) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n.pins--
}

// stat returns size and time of what a path leads to.
func (k *kernel) stat(cancel <-chan struct{}, path string) (n knode, looked bool, st fuse.Status) {
	found, looked, st := k.walk(cancel, path, false)
	if st != fuse.OK {
		return knode{}, looked, st
	}
	defer k.unpin(found)
	k.mu.Lock()
	n = *found
	k.mu.Unlock()
	if time.Now().Before(n.attributes) {
		return n, looked, fuse.OK
	}
	in := fuse.GetAttrIn{InHeader: fuse.InHeader{NodeId: n.id}}
	var out fuse.AttrOut
	if st := k.raw.GetAttr(cancel, &in, &out); st != fuse.OK {
		return knode{}, looked, st
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	found.size, found.mtime, found.attributes = out.Size, out.Mtime, time.Now().Add(out.Timeout())
	return *found, looked, fuse.OK
}

// handle is an open file.
type handle struct {
	node           *knode
	ino, gen, size uint64 // of the inode, when it was opened
	fh             uint64
}

// open opens what a path leads to. After ESTALE it looks all names up and tries once more,
// as open(2) does.
func (k *kernel) open(cancel <-chan struct{}, path string) (h *handle, looked bool, st fuse.Status) {
	for _, anew := range []bool{false, true} {
		var n *knode
		if n, looked, st = k.walk(cancel, path, anew); st != fuse.OK {
			return nil, looked, st
		}
		in := fuse.OpenIn{InHeader: fuse.InHeader{NodeId: n.id}, Flags: syscall.O_RDONLY}
		var out fuse.OpenOut
		if st = k.raw.Open(cancel, &in, &out); st == fuse.OK {
			k.mu.Lock()
			defer k.mu.Unlock()
			return &handle{node: n, ino: n.ino, gen: n.gen, size: n.size, fh: out.Fh}, looked, st
		}
		k.unpin(n)
		if st != fuse.Status(syscall.ESTALE) {
			return nil, looked, st
		}
		time.Sleep(time.Microsecond) // for the way there and back
	}
	return nil, looked, st
}

// read returns up to size bytes from off on.
func (k *kernel) read(cancel <-chan struct{}, h *handle, off, size int) ([]byte, fuse.Status) {
	in := fuse.ReadIn{InHeader: fuse.InHeader{NodeId: h.node.id}, Fh: h.fh, Offset: uint64(off), Size: uint32(size)}
	buf := make([]byte, size)
	result, st := k.raw.Read(cancel, &in, buf)
	if st != fuse.OK {
		return nil, st
	}
	defer result.Done()
	data, st := result.Bytes(make([]byte, 0, size))
	return append([]byte{}, data...), st
}

func (k *kernel) release(h *handle) {
	k.raw.Release(nil, &fuse.ReleaseIn{InHeader: fuse.InHeader{NodeId: h.node.id}, Fh: h.fh})
	k.unpin(h.node)
}

// forget drops the names for which drop is true, and tells the file system of the inodes
// that nothing needs any more.
func (k *kernel) forget(drop func(path string) bool) {
	k.mu.Lock()
	needed := map[*knode]bool{}
	for path, e := range k.entries {
		if drop(path) {
			delete(k.entries, path)
		} else {
			needed[e.node] = true
			needed[k.nodes[e.parent]] = true
		}
	}
	gone := map[uint64]uint64{}
	for id, n := range k.nodes {
		if n.pins == 0 && !needed[n] {
			gone[id] = n.lookups
			delete(k.nodes, id)
		}
	}
	k.mu.Unlock()
	for id, lookups := range gone {
		k.raw.Forget(id, lookups)
	}
}

// EntryNotify has a name looked up again. It and what follows are gofs.ServerCallbacks.
func (k *kernel) EntryNotify(parent uint64, name string) fuse.Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.entries {
		if e.parent == parent && e.name == name {
			e.until = time.Time{}
		}
	}
	return fuse.OK
}

func (k *kernel) DeleteNotify(uint64, uint64, string) fuse.Status         { return fuse.OK }
func (k *kernel) InodeNotify(uint64, int64, int64) fuse.Status            { return fuse.OK }
func (k *kernel) InodeNotifyStoreCache(uint64, int64, []byte) fuse.Status { return fuse.OK }
func (k *kernel) InodeRetrieveCache(uint64, int64, []byte) (int, fuse.Status) {
	return 0, fuse.OK
}
