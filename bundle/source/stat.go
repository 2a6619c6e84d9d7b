package source

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Identity tells one state of the file at a path from every other: a file
// whose identity has not changed still holds the bytes it held. The device
// number is not part of it, for it changes when a file system is mounted
// anew and differs between hosts that share one.
type Identity struct {
	Ino     uint64
	Size    int64
	MtimeNs int64 // since the epoch
	CtimeNs int64 // since the epoch; moves with every change of bytes, owner, mode or links
}

// How long after a change another one may leave the same time: a tick of the slowest
// kernel's clock, and on file systems without fractions of a second, one second.
const (
	tick       = 10 * time.Millisecond
	wholeTicks = time.Second
)

// settle waits until a further change of the file would show in CtimeNs. What is read
// of it after that is what the file holds as long as its identity stays the same; what
// was read before might be from before a change in the same tick.
func (id Identity) settle() {
	after := tick
	if id.CtimeNs%int64(time.Second) == 0 {
		after = wholeTicks
	}
	if wait := time.Until(time.Unix(0, id.CtimeNs).Add(after)); wait > 0 && wait <= after { // else another host's clock
		time.Sleep(wait)
	}
}

// Stat is what this package needs to know of a file.
type Stat struct {
	Identity
	Dev      uint64
	Mode     uint32 // st_mode: type and permissions
	UID, GID uint32
	Nlink    uint32
	Rdev     uint64
	Blocks   int64 // of 512 bytes, that the file takes on disk
}

func statOf(raw *unix.Stat_t) Stat {
	return Stat{
		Identity: Identity{
			Ino:     raw.Ino,
			Size:    raw.Size,
			MtimeNs: raw.Mtim.Nano(),
			CtimeNs: raw.Ctim.Nano(),
		},
		Dev:    uint64(raw.Dev), //nolint:unconvert // the width differs between platforms
		Mode:   raw.Mode,
		UID:    raw.Uid,
		GID:    raw.Gid,
		Nlink:  uint32(raw.Nlink),
		Rdev:   uint64(raw.Rdev), //nolint:unconvert // as above
		Blocks: raw.Blocks,
	}
}

// IsRegular reports whether s describes a regular file.
func (s Stat) IsRegular() bool { return s.Mode&unix.S_IFMT == unix.S_IFREG }

// IsDir reports whether s describes a directory.
func (s Stat) IsDir() bool { return s.Mode&unix.S_IFMT == unix.S_IFDIR }

// IsSymlink reports whether s describes a symbolic link.
func (s Stat) IsSymlink() bool { return s.Mode&unix.S_IFMT == unix.S_IFLNK }

// Perm returns the permission bits with set-id and sticky bits: 0 to 07777.
func (s Stat) Perm() uint32 { return s.Mode & 0o7777 }

// ModTime returns the time of the last change of the bytes.
func (s Stat) ModTime() time.Time { return time.Unix(0, s.MtimeNs) }

// TypeName names the file type for messages: "file", "directory", "fifo"...
func (s Stat) TypeName() string {
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "file"
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFLNK:
		return "symbolic link"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFSOCK:
		return "socket"
	case unix.S_IFCHR:
		return "character device"
	case unix.S_IFBLK:
		return "block device"
	}
	return fmt.Sprintf("file of type %#o", s.Mode&unix.S_IFMT)
}
