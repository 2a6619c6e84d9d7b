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

// Where directories lead is forgotten with time, also if nothing is mounted meanwhile: a
// directory may become a link into a mount of this program.
func TestADirectoryThatBecomesALinkIntoAMountIsSeenSoon(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/one/file", nil)
	writeFile(t, dir+"/mnt/file", nil)
	root := siteRoot(t, "/")
	pretend(t, root, dir+"/mnt", true) // and the table of mounts stands still
	if _, err := root.Stat(dir + "/one/file"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(dir+"/one", dir+"/old"), os.Symlink("mnt", dir+"/one")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * dirsAge); ; time.Sleep(10 * time.Millisecond) {
		_, err := root.Stat(dir + "/one/file")
		if own := (OwnMountError{}); errors.As(err, &own) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a look goes into the mount: %v", err)
		}
	}
}
