package source

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// An image cannot be made of what is made from images.
func TestARootOnAMountOfImgexportfsIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	for name, own := range map[string]bool{"imgexportfs": true, "other": false} {
		server, err := fs.Mount(dir, &fs.Inode{}, &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true, Name: name}})
		if err != nil {
			t.Fatal(err)
		}
		root, err := OpenRoot(dir)
		var mount OwnMountError
		if errors.As(err, &mount) != own || (err == nil) == own {
			t.Errorf("a mount of %s: %v", name, err)
		}
		if err == nil {
			_ = root.Close()
		}
		if err := server.Unmount(); err != nil {
			t.Fatal(err)
		}
	}
}

// Where directories lead is forgotten with time, also if nothing is mounted meanwhile.
func TestWhereDirectoriesLeadIsForgotten(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/one/file", []byte("1"))
	writeFile(t, dir+"/two/file", []byte("22"))
	root := siteRoot(t, "/")
	pretend(t, root, dir+"/elsewhere", false) // the table of mounts stands still
	size := func() int64 {
		st, err := root.Stat(dir + "/one/file")
		if err != nil {
			return -1
		}
		return st.Size
	}
	if n := size(); n != 1 {
		t.Fatalf("%d bytes", n)
	}
	if err := errors.Join(os.Rename(dir+"/one", dir+"/old"), os.Symlink("two", dir+"/one")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * dirsAge); size() != 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the old directory is still seen")
		}
	}
}
