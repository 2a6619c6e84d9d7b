package bundle

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listxattr is listxattr(2) of the file base in the directory of dirfd, links
// not followed: the names of the extended attributes, a NUL behind each.
//
// Linux can look below a descriptor since 6.13. Before that /proc has to lead
// there, which takes three times as long.
func listxattr(dirfd int, base string, buf []byte) (int, error) {
	if hasListxattrat() {
		return listxattrat(dirfd, base, unix.AT_SYMLINK_NOFOLLOW, buf)
	}
	return listxattrByProc(dirfd, base, buf)
}

func listxattrByProc(dirfd int, base string, buf []byte) (int, error) {
	return unix.Llistxattr(fmt.Sprintf("/proc/self/fd/%d/%s", dirfd, base), buf)
}

// hasListxattrat reports whether the kernel has listxattrat(2) and lets this
// process use it: then it complains of flags that do not exist. One that is
// older says ENOSYS, the filter of a container perhaps EPERM.
var hasListxattrat = sync.OnceValue(func() bool {
	var buf [1]byte
	_, err := listxattrat(unix.AT_FDCWD, "/", -1, buf[:])
	return err == unix.EINVAL
})

// listxattrat is the system call, which golang.org/x/sys only has the number
// of. buf must not be empty.
func listxattrat(dirfd int, base string, flags int, buf []byte) (int, error) {
	name, err := unix.BytePtrFromString(base)
	if err != nil {
		return 0, err
	}
	n, _, errno := unix.Syscall6(unix.SYS_LISTXATTRAT, uintptr(dirfd), uintptr(unsafe.Pointer(name)), uintptr(flags),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
