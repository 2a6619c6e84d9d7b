package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/fs/metrics"
)

// countedRequests counts the requests of the kernel.
type countedRequests struct {
	fuse.RawFileSystem
	metrics *metrics.Metrics
}

func (c countedRequests) Lookup(cancel <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	c.metrics.Request(metrics.Lookup)
	return c.RawFileSystem.Lookup(cancel, in, name, out)
}

func (c countedRequests) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	c.metrics.Request(metrics.Stat)
	return c.RawFileSystem.GetAttr(cancel, in, out)
}

func (c countedRequests) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	c.metrics.Request(metrics.Open)
	return c.RawFileSystem.Open(cancel, in, out)
}

func (c countedRequests) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	c.metrics.Request(metrics.List)
	return c.RawFileSystem.OpenDir(cancel, in, out)
}

func (c countedRequests) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	c.metrics.Request(metrics.Read)
	return c.RawFileSystem.Read(cancel, in, buf)
}
