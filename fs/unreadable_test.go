package fs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// badDisk is a directory in which every file is an error.
type badDisk struct{ gofs.Inode }

func (*badDisk) Lookup(context.Context, string, *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	return nil, syscall.EIO
}

// An image of which a file cannot be read for a moment is neither without that file nor
// refused.
func TestAnImageThatCannotBeReadIsAnError(t *testing.T) {
	dir := siteDir(t, 0, "foo")
	write(t, dir, "linuximage.csv", "#imagename,template,exlist\n\"foo\",\"/foo.tmpl\",\"/mnt/list\"\n")
	mnt := filepath.Join(dir, "mnt")
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	server, err := gofs.Mount(mnt, &badDisk{}, &gofs.Options{MountOptions: fuse.MountOptions{DirectMount: true, Name: "bad"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Unmount() })
	vs := open(t, dir, 0, 0)
	of := view{"", "foo"}
	if v, err := vs.present(t.Context(), vs.mustLook(t), of); !errors.Is(err, syscall.EIO) {
		t.Errorf("a version without the file: %+v, %v", v, err)
	}
	if s, err := vs.summary(t.Context(), vs.mustLook(t), of); err == nil && s.refused {
		t.Errorf("it is refused: %+v", s)
	}
	list, err := vs.summaries(t.Context(), vs.mustLook(t), "")
	if err == nil && (len(list) != 1 || list[0].refused) {
		t.Errorf("listed as %+v", list)
	}
}
