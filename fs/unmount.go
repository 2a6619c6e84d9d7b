package fs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"imgexportfs/bundle/source"
)

// Unmount takes away what an imgexportfs, alive or dead, shows at dir. If files are
// still open there it is detached: the directory is free at once, and readers go on
// until they close the files or the program ends.
func Unmount(dir string) error {
	abs, err := realMountPoint(dir)
	if err != nil {
		return err
	}
	m, ok, err := findMount(abs)
	if err != nil {
		return err
	}
	if !ok || m.FSType != source.OwnType {
		return fmt.Errorf("%s is not a mount of %s", dir, fsName)
	}
	err = unix.Unmount(abs, unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EBUSY) {
		err = unix.Unmount(abs, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	if errors.Is(err, unix.EPERM) {
		return fusermount(abs)
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
		return nil, false, fmt.Errorf("table of mounts: %w", err)
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

// fusermountLimit is how long fusermount may take, which asks the mount.
const fusermountLimit = 10 * time.Second

// fusermount unmounts for a user who is not root.
func fusermount(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), fusermountLimit)
	defer cancel()
	for _, name := range []string{"fusermount3", "fusermount"} {
		if path, err := exec.LookPath(name); err == nil {
			out, err := exec.CommandContext(ctx, path, "-u", "-z", dir).CombinedOutput()
			if err != nil {
				return fmt.Errorf("unmount %s: %s: %w: %s", dir, name, err, strings.TrimSpace(string(out)))
			}
			return nil
		}
	}
	return fmt.Errorf("unmount %s: only root can do this here (fusermount3 is not installed)", dir)
}

// abort ends a connection of the kernel to a server, by its number: every request
// that waits for an answer gets an error, and so does every later one. Without it
// a thread of this process that waits for its own mount could never end.
func abort(connection int) error {
	err := os.WriteFile(fmt.Sprintf("/sys/fs/fuse/connections/%d/abort", connection), []byte("1\n"), 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it has ended
	}
	return err
}
