package source

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listxattr lists the names of the extended attributes of the file base in a directory, a
// NUL behind each, links not followed. buf must not be empty.
//
// Linux 6.13 can do so below a descriptor, as the other calls of a walk do. Before that /proc
// has to lead there, and a walk takes 1.6 times as long: 0.96 s instead of 0.59 s for 100,000
// files, with two busy cores.
func listxattr(dirfd int, base string, buf []byte) (int, error) {
	if hasListxattrat() {
		return listxattrat(dirfd, base, unix.AT_SYMLINK_NOFOLLOW, buf)
	}
	return listxattrByProc(dirfd, base, buf)
}

func listxattrByProc(dirfd int, base string, buf []byte) (int, error) {
	return unix.Llistxattr(fmt.Sprintf("/proc/self/fd/%d/%s", dirfd, base), buf)
}

// hasListxattrat reports whether the kernel has the call and lets this process use it: if
// so, it refuses flags that do not exist. An older kernel says ENOSYS, and the filter of a
// container perhaps EPERM.
var hasListxattrat = sync.OnceValue(func() bool {
	var buf [1]byte
	_, err := listxattrat(unix.AT_FDCWD, "/", -1, buf[:])
	return err == unix.EINVAL
})

// listxattrat is the system call; golang.org/x/sys has its number only.
func listxattrat(dirfd int, base string, flags int, buf []byte) (int, error) {
	name, err := unix.BytePtrFromString(base)
	if err != nil {
		return 0, err
	}
	n, _, errno := unix.Syscall6(unix.SYS_LISTXATTRAT, uintptr(dirfd), uintptr(unsafe.Pointer(name)),
		uintptr(flags), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
