package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// OwnType is the type of a mount of imgexportfs, as the table of mounts has it.
const OwnType = "fuse.imgexportfs"

// mounts knows where file systems of programs (FUSE) are mounted, by the paths
// that the table of mounts has. To look at such a directory is a request to its
// program, and this may be the one that looks.
type mounts struct {
	table int // descriptor of /proc/self/mountinfo, polled for changes

	mu    sync.RWMutex // guards what follows
	own   map[string]bool
	fuse  map[string]bool // with the own ones
	turn  int             // counts how often the table was read
	asked time.Time       // when the kernel was asked last
	stale bool            // the table has changed and was not read since
}

func newMounts() (*mounts, error) {
	const name = "/proc/self/mountinfo"
	table, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, TableError(&fs.PathError{Op: "open", Path: name, Err: err})
	}
	m := &mounts{table: table}
	if err := m.read(); err != nil {
		_ = unix.Close(table)
		return nil, err
	}
	return m, nil
}

// TableError is an error that says that the table of mounts cannot be read, and what to do.
func TableError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("table of mounts: %w; is there a /proc? (mount -t proc proc /proc)", err)
	}
	return fmt.Errorf("table of mounts: %w", err)
}

func (m *mounts) close() error { return unix.Close(m.table) }

// askAfter is for how long the kernel's answer counts: a tree has thousands of files,
// and the question would take a third of the time of a look.
const askAfter = time.Millisecond

// refresh reads the table again if the kernel says that it has changed
// (proc_pid_mounts(5)), and returns a number that changes with it. The kernel says so
// once: other callers wait until the change is read, and a read that fails is tried
// again by the next one.
func (m *mounts) refresh() (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if !m.stale && now.Sub(m.asked) < askAfter {
		return m.turn, nil
	}
	m.asked = now
	events := []unix.PollFd{{Fd: int32(m.table), Events: unix.POLLPRI}}
	if n, err := unix.Poll(events, 0); n > 0 && err == nil {
		m.stale = true
	}
	if m.stale {
		if err := m.read(); err != nil {
			return 0, err
		}
	}
	return m.turn, nil
}

// read reads the table. The caller holds mu.
func (m *mounts) read() error {
	list, err := mountinfo.GetMounts(func(info *mountinfo.Info) (skip, stop bool) {
		return info.FSType != "fuseblk" && info.FSType != "fuse" && !strings.HasPrefix(info.FSType, "fuse."), false
	})
	if err != nil {
		return TableError(err)
	}
	m.own, m.fuse = map[string]bool{}, map[string]bool{}
	for _, info := range list {
		m.fuse[info.Mountpoint] = true
		if info.FSType == OwnType {
			m.own[info.Mountpoint] = true
		}
	}
	m.turn++
	m.stale = false
	return nil
}

// isOwn reports whether an imgexportfs is mounted at place.
func (m *mounts) isOwn(place string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.own[place]
}

// isOwnBelow reports whether an imgexportfs is mounted on the way from place to what rest,
// which begins with a slash, is there.
func (m *mounts) isOwnBelow(place, rest string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.own) == 0 {
		return false
	}
	way := place + rest
	for i := len(place) + 1; i < len(way); i++ {
		if way[i] == '/' && m.own[way[:i]] {
			return true
		}
	}
	return m.own[way]
}

// fuseIn returns the names in a directory where FUSE file systems are mounted.
func (m *mounts) fuseIn(dir string) map[string]bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var names map[string]bool
	for place := range m.fuse {
		if path.Dir(place) != dir {
			continue
		}
		if names == nil {
			names = map[string]bool{}
		}
		names[path.Base(place)] = true
	}
	return names
}
