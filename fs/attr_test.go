package fs

import (
	"context"
	"syscall"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

func TestAttributesAreWhatStatShows(t *testing.T) {
	when := time.Unix(1_700_000_000, 5)
	for _, c := range []struct {
		kind  uint32
		umask uint32
		perm  uint32
	}{
		{syscall.S_IFREG, 0, 0o444}, {syscall.S_IFREG, 0o077, 0o400}, {syscall.S_IFREG, 0o027, 0o440}, {syscall.S_IFREG, 0o777, 0},
		{syscall.S_IFDIR, 0, 0o555}, {syscall.S_IFDIR, 0o077, 0o500},
		{syscall.S_IFLNK, 0, 0o777}, {syscall.S_IFLNK, 0o077, 0o777}, // links have no permissions of their own
		{syscall.S_IFIFO, 0o077, 0o400},
	} {
		m := &mount{opts: Options{Umask: c.umask}, owner: fuse.Owner{Uid: 5, Gid: 6}}
		var out fuse.Attr
		m.fill(attributes{kind: c.kind, size: 513, time: when}, &out)
		if out.Mode != c.kind|c.perm || out.Uid != 5 || out.Gid != 6 || out.Nlink != 1 {
			t.Errorf("kind %#o, umask %#o: %+v", c.kind, c.umask, out)
		}
		if out.Size != 513 || out.Blocks != 2 || out.Mtime != 1_700_000_000 || out.Mtimensec != 5 {
			t.Errorf("size %d in %d blocks, time %d.%09d", out.Size, out.Blocks, out.Mtime, out.Mtimensec)
		}
	}
}

// The inode number of a file changes with all that its bytes may change with.
func TestOtherBytesHaveAnotherInode(t *testing.T) {
	base := &version{view: view{"n1", "foo"}, fingerprint: [32]byte{1}, attempt: 1}
	keys := map[inodeKey]bool{base.key(roleBundle, ""): true}
	for i, key := range []inodeKey{
		base.key(roleChecksum, ""), base.key(roleMember, "kernel"), base.key(roleMember, "initrd"),
		(&version{view: view{"n2", "foo"}, fingerprint: [32]byte{1}, attempt: 1}).key(roleBundle, ""),
		(&version{view: view{"n1", "foo"}, fingerprint: [32]byte{2}, attempt: 1}).key(roleBundle, ""),
		(&version{view: view{"n1", "foo"}, fingerprint: [32]byte{1}, attempt: 2}).key(roleBundle, ""),
	} {
		if keys[key] {
			t.Errorf("key %d is that of another file", i)
		}
		keys[key] = true
	}
}

// still is a node whose attributes are given.
type still struct {
	gofs.Inode
	a attributes
}

func (s *still) attributes(context.Context) (attributes, error) { return s.a, nil }

// What the kernel keeps of a name is no older than the name and no older than the file.
func TestTheKernelKeepsAttributesForTheShorterTime(t *testing.T) {
	root := &gofs.Inode{}
	gofs.NewNodeFS(root, &gofs.Options{})
	for _, c := range []struct{ name, file, want time.Duration }{
		{time.Minute, time.Second, time.Second}, {time.Second, time.Minute, time.Second}, {0, time.Minute, 0}, {time.Minute, 0, 0},
	} {
		var out fuse.EntryOut
		n := &still{a: attributes{kind: syscall.S_IFREG, valid: c.file}}
		if _, errno := (&mount{}).child(t.Context(), root, n, c.name, &out); errno != 0 {
			t.Fatal(errno)
		}
		if got := out.EntryTimeout(); got != c.name {
			t.Errorf("name %v, file %v: the name for %v", c.name, c.file, got)
		}
		if got := out.AttrTimeout(); got != c.want {
			t.Errorf("name %v, file %v: attributes for %v", c.name, c.file, got)
		}
	}
}
