package bundle

import (
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// opener opens source files.
type opener interface {
	// openRegular returns a descriptor of the regular file name; anything
	// else is ErrNotRegular and is not opened. Of the flags only O_NOFOLLOW
	// counts.
	openRegular(name string, flags int) (fd int, err error)
}

// siblings opens the files of a tree for somebody who takes them in order.
// Then the next file mostly lies in the same directory as the one before, so
// that directory stays open: the root is asked once for it, and the files cost
// no way through the tree.
//
// What is opened in a directory by its own name can lead nowhere else, as long
// as symbolic links are not followed; and they never are.
//
// It is not safe for use by several goroutines.
type siblings struct {
	root *Root
	dir  string // that fd is of
	fd   int    // -1: none is open
}

func newSiblings(root *Root) *siblings { return &siblings{root: root, fd: -1} }

func (s *siblings) openRegular(name string, _ int) (int, error) {
	slash := strings.LastIndexByte(name, '/')
	fd, err := s.openIn(name[:slash+1], name[slash+1:])
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, nil
}

func (s *siblings) openIn(dir, base string) (int, error) {
	if err := s.enter(dir); err != nil {
		return -1, err
	}
	// Look before opening, as Root.openRegular does.
	var raw unix.Stat_t
	if err := unix.Fstatat(s.fd, base, &raw, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return -1, err
	}
	if !statOf(&raw).IsRegular() {
		return -1, ErrNotRegular
	}
	for {
		fd, err := unix.Openat(s.fd, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// enter keeps dir instead of the directory before it.
func (s *siblings) enter(dir string) error {
	if s.fd >= 0 && dir == s.dir {
		return nil
	}
	s.close()
	fd, err := s.root.open(dir, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	s.dir, s.fd = dir, fd
	return nil
}

// close gives the directory back.
func (s *siblings) close() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
}
