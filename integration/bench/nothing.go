package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// requestSize is what imgexportfs lets the kernel ask for at once.
const requestSize = 1 << 20

// nothing is a file that costs its server nothing: every read is answered
// from one buffer at once. What a copy of it takes is what the kernel and the
// reader take, and no file system behind FUSE is faster than that.
type nothing struct {
	gofs.Inode
	size   int64
	buffer [requestSize]byte
}

func (n *nothing) Getattr(_ context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size = 0o444, uint64(n.size)
	return 0
}

func (n *nothing) Open(context.Context, uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

func (n *nothing) Read(_ context.Context, _ gofs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	return nothingRead(n.buffer[:max(0, min(int64(len(dest)), n.size-off))]), 0
}

// nothingRead is handed to the kernel without a copy on the way.
type nothingRead []byte

func (r nothingRead) Bytes([]byte) ([]byte, fuse.Status) { return r, fuse.OK }
func (r nothingRead) Slices() ([][]byte, fuse.Status)    { return [][]byte{r}, fuse.OK }
func (r nothingRead) Size() int                          { return len(r) }
func (r nothingRead) Done()                              {}

// onNothing mounts a file of the given size with the options of imgexportfs,
// for one measurement.
func (b *bench) onNothing(size int64, measure func(path string) (time.Duration, error)) (took time.Duration, err error) {
	dir, err := os.MkdirTemp(b.work, "nothing-")
	if err != nil {
		return 0, err
	}
	root, timeout := &gofs.Inode{}, time.Minute
	server, err := gofs.Mount(dir, root, &gofs.Options{
		MountOptions: fuse.MountOptions{DirectMount: true, MaxWrite: requestSize, MaxReadAhead: requestSize, DisableSplice: true},
		AttrTimeout:  &timeout,
		EntryTimeout: &timeout,
		OnAdd: func(ctx context.Context) {
			root.AddChild("bundle", root.NewPersistentInode(ctx, &nothing{size: size}, gofs.StableAttr{Mode: syscall.S_IFREG}), false)
		},
	})
	if err != nil {
		return 0, fmt.Errorf("mount on %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, server.Unmount(), os.Remove(dir)) }()
	var mounted syscall.Stat_t
	if err := syscall.Stat(dir, &mounted); err != nil {
		return 0, err
	}
	ahead := fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", mounted.Dev>>8&0xfff, mounted.Dev&0xff|mounted.Dev>>12&^0xff)
	if err := os.WriteFile(ahead, fmt.Append(nil, requestSize>>10), 0); err != nil {
		return 0, err
	}
	return measure(filepath.Join(dir, "bundle"))
}

// copiesNothing is a way that copies as many bytes as a bundle has.
func (b *bench) copiesNothing(name string, size int64, script string) way {
	return way{name, "", func() (time.Duration, error) {
		return b.onNothing(size, func(path string) (time.Duration, error) { return b.making(name, script, path) })
	}}
}

// secondCopyOfNothing does so after the kernel has read it once.
func (b *bench) secondCopyOfNothing(name string, size int64, script string) way {
	return way{name, "", func() (time.Duration, error) {
		return b.onNothing(size, func(path string) (time.Duration, error) {
			if _, err := b.making("first", script, path); err != nil {
				return 0, err
			}
			return b.making(name, script, path)
		})
	}}
}
