package source

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// attributes lists the extended attributes of the file base in a directory.
// SELinux labels do not count: they belong to the host, and an image is
// labelled when it boots.
func attributes(dirfd int, base string) ([]string, error) {
	var buf [1024]byte
	n, err := listxattr(dirfd, base, buf[:])
	for err == unix.EINTR { // see retried
		n, err = listxattr(dirfd, base, buf[:])
	}
	switch {
	case errors.Is(err, unix.ERANGE):
		n = copy(buf[:], "(many)\x00")
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return nil, nil // the file system has none
	case err != nil:
		return nil, err
	}
	var attrs []string
	for attr := range strings.SplitSeq(string(buf[:n]), "\x00") {
		if attr != "" && attr != "security.selinux" {
			attrs = append(attrs, attr)
		}
	}
	return attrs, nil
}

// isPseudo reports whether the directory is on one of the kernel's own file
// systems. A chroot may have them mounted while somebody works in it.
func isPseudo(fd int) bool {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return false
	}
	return slices.Contains([]int64{
		unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.DEVPTS_SUPER_MAGIC, unix.CGROUP_SUPER_MAGIC,
		unix.CGROUP2_SUPER_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC,
	}, int64(st.Type)) //nolint:unconvert // the width differs between platforms
}
