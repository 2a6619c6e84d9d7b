package integration

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() { helpers["handle"], helpers["byhandle"] = helperHandle, helperByHandle }

// helperHandle FILE says the handle of a file, as servers of NFS ask for it: type and bytes.
func helperHandle(args []string) error {
	handle, _, err := unix.NameToHandleAt(unix.AT_FDCWD, args[0], 0)
	if err == nil {
		fmt.Println(handle.Type(), hex.EncodeToString(handle.Bytes()))
	}
	return err
}

// helperByHandle DIR TYPE BYTES writes the file of a handle on the mount of DIR, or says
// "stale".
func helperByHandle(args []string) error {
	kind, err := strconv.ParseInt(args[1], 10, 32)
	if err != nil {
		return err
	}
	handle, err := hex.DecodeString(args[2])
	if err != nil {
		return err
	}
	dir, err := os.Open(args[0])
	if err != nil {
		return err
	}
	fd, err := unix.OpenByHandleAt(int(dir.Fd()), unix.NewFileHandle(int32(kind), handle), unix.O_RDONLY)
	if errors.Is(err, unix.ESTALE) {
		fmt.Print("stale")
		return nil
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, os.NewFile(uintptr(fd), args[2]))
	return err
}

// A file handle means its file while the mount lasts and the kernel knows the file. On
// another mount it is stale, and never another file.
func TestFileHandlesEndWithTheMount(t *testing.T) {
	site := newClientSite(t, smallSite(t, 100_000))
	m := site.mount(t)
	var handles [][]string
	names := []string{"bar.tgz", "foo.tgz", "bar/kernel", "bar.tgz.sha256"}
	for _, name := range names {
		handle := strings.Fields(helperProcess(t, "handle", m.path(name)).run(t).stdout)
		got := helperProcess(t, "byhandle", m.dir, handle[0], handle[1]).run(t).stdout
		if want := run(t, "cat", m.path(name)); got != want {
			t.Errorf("the handle of %s gives %d bytes, want %d", name, len(got), len(want))
		}
		handles = append(handles, handle)
	}
	m.stop(t)
	m = site.mountOn(t, m.dir)
	run(t, "find", m.dir, "-size", "+0") // the kernel knows all files of this mount
	for i, handle := range handles {
		expectText(t, names[i]+" on another mount", helperProcess(t, "byhandle", m.dir, handle[0], handle[1]).run(t).stdout, "stale")
	}
}
