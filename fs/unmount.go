package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"imgexportfs/bundle/source"
)

// ErrNotMounted reports that no imgexportfs is mounted on a directory.
var ErrNotMounted = errors.New("is not a mount of " + fsName)

// Unmount takes away what an imgexportfs, alive or dead, shows at dir. If files are
// still open there it is detached: the directory is free at once, and readers go on
// until they close the files or the program ends. Without open files detached is nil.
func Unmount(dir string) (detached *Detached, err error) {
	at, err := ownMount(dir)
	if err != nil {
		return nil, err
	}
	err = unmount(at.Mountpoint, func() {
		detached = newDetached(at)
	})
	return detached, err
}

// IsMounted reports whether an imgexportfs that answers is mounted on dir.
func IsMounted(dir string) bool {
	_, err := ownMount(dir)
	if err == nil {
		_, err = os.Stat(dir)
	}
	return err == nil
}

// ownMount returns the mount of an imgexportfs on dir, which may be dead.
func ownMount(dir string) (*mountinfo.Info, error) {
	real, err := realMountPoint(dir)
	if err != nil {
		return nil, err
	}
	m, ok, err := findMount(real)
	if err != nil {
		return nil, err
	}
	if !ok || m.FSType != source.OwnType {
		return nil, fmt.Errorf("%s %w", dir, ErrNotMounted)
	}
	return m, nil
}

// unmount unmounts a directory that has no links. inUse is called before it is only
// detached, because files are open.
func unmount(dir string, inUse func()) error {
	err := unix.Unmount(dir, unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EBUSY) {
		inUse()
		err = unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	if errors.Is(err, unix.EPERM) {
		err = fusermountUnmount(dir, inUse)
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", dir, err)
	}
	return nil
}

// realMountPoint is dir without links, as the table of mounts has it. The mount point
// itself is not looked at, because its server may be gone, unless it is a link.
func realMountPoint(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	real := filepath.Join(parent, filepath.Base(abs))
	if _, mounted, err := findMount(real); err != nil || mounted {
		return real, err
	}
	return filepath.EvalSymlinks(real)
}

// findMount looks up what is mounted on dir, which has no links. The mount itself is
// not asked: its server may be this process, or gone.
func findMount(dir string) (found *mountinfo.Info, ok bool, err error) {
	list, err := mountinfo.GetMounts(func(info *mountinfo.Info) (skip, stop bool) {
		return info.Mountpoint != dir, false
	})
	if err != nil {
		return nil, false, source.TableError(err)
	}
	if len(list) == 0 {
		return nil, false, nil
	}
	return list[len(list)-1], true, nil // it covers those before it
}

// isMounted reports whether the connection of a server, by its number, is mounted on
// dir, perhaps below other mounts. It is if the table of mounts cannot be read, or if
// the number is not known.
func isMounted(connection int, dir string) bool {
	list, err := mountinfo.GetMounts(func(info *mountinfo.Info) (skip, stop bool) {
		return info.Mountpoint != dir || info.FSType != source.OwnType || info.Minor != connection, false
	})
	return err != nil || connection == 0 || len(list) > 0
}

// abort ends a connection of the kernel to a server, by its number: every request
// that waits for an answer gets an error, and so does every later one. Without it
// a thread of this process that waits for its own mount could never end.
func abort(connection int) error {
	err := os.WriteFile(fmt.Sprintf("%s/%d/abort", connections, connection), []byte("1\n"), 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it has ended
	}
	return err
}

// fusermountLimit is how long fusermount may take, which asks the mount.
const fusermountLimit = 10 * time.Second

// fusermountUnmount unmounts for a user who is not root. inUse is called before the
// directory is only detached, because files are open.
func fusermountUnmount(dir string, inUse func()) error {
	err := fusermount("-u", "--", dir)
	if err != nil && strings.Contains(err.Error(), "resource busy") { // it speaks English only
		inUse()
		return fusermount("-u", "-z", "--", dir)
	}
	return err
}

// fusermount runs fusermount3, or the fusermount of FUSE 2. An error has its words.
func fusermount(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), fusermountLimit)
	defer cancel()
	for _, name := range []string{"fusermount3", "fusermount"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
		if words := oneLine(string(out)); err != nil && words != "" {
			return errors.New(words)
		}
		return err
	}
	return errNoFusermount
}

// errNoFusermount is for a process that the kernel does not let mount or unmount.
var errNoFusermount = errors.New("only root can do this here (fusermount3 is not installed; it is in the package fuse3)")

// withFusermountsWords calls mount, which may start fusermount, and puts what that says
// into the error. The library gives fusermount this process's standard error and reports
// a number.
func withFusermountsWords(mount func() error) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	words := make(chan string, 1)
	go func() {
		said, _ := io.ReadAll(read)
		words <- oneLine(string(said))
	}()
	stderr := os.Stderr
	os.Stderr = write
	err = mount()
	os.Stderr = stderr
	_ = write.Close()
	said := <-words
	_ = read.Close()
	_, isExec := errors.AsType[*exec.Error](err)
	switch {
	case err == nil:
		return nil
	case said != "":
		return errors.New(said)
	case errors.Is(err, exec.ErrNotFound), isExec && errors.Is(err, os.ErrNotExist):
		return errNoFusermount
	}
	return errors.New(oneLine(err.Error()))
}

// oneLine is what a program has said on several lines.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(strings.TrimSpace(text), func(r rune) bool { return r == '\n' }), "; ")
}
