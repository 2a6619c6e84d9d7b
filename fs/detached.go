package fs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Detached is a mount that has left its directory, but has files open.
type Detached struct {
	Files []OpenFile // what was open, as far as this user may see it

	major, minor int
	watched      bool // the kernel shows the connection to the server
}

// connections is where the kernel shows the connections to servers, if fusectl is
// mounted there.
const connections = "/sys/fs/fuse/connections"

// newDetached looks at a mount that is going to be detached.
func newDetached(at *mountinfo.Info) *Detached {
	d := &Detached{Files: openFiles(at.Major, at.Minor), major: at.Major, minor: at.Minor}
	d.watched = d.isConnected()
	return d
}

func (d *Detached) isConnected() bool {
	_, err := os.Stat(fmt.Sprintf("%s/%d", connections, d.minor))
	return err == nil
}

// isOpen reports whether a file is still open. Where the connection cannot be seen,
// those of the processes count that this user may look at.
func (d *Detached) isOpen() bool {
	if d.watched {
		return d.isConnected()
	}
	return len(openFiles(d.major, d.minor)) > 0
}

// closedPeriod is how often Wait looks.
const closedPeriod = 200 * time.Millisecond

// Wait returns when the last file is closed, or with an error when ctx ends.
func (d *Detached) Wait(ctx context.Context) error {
	for d.isOpen() {
		select {
		case <-time.After(closedPeriod):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// OpenFile is a file or directory of a mount that a process has open, or in which it
// works.
type OpenFile struct {
	Path    string
	Program string
	Process int
}

// openFiles returns what is open of the mount with a device number, as far as /proc lets
// this user see it. Nothing is asked of the mount: its server may be gone.
func openFiles(major, minor int) (found []OpenFile) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		pid, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			continue
		}
		links, _ := filepath.Glob(process + "/fd/*")
		seen := map[string]bool{}
		for _, link := range append(links, process+"/cwd", process+"/root", process+"/exe") {
			if !leadsTo(link, major, minor) {
				continue
			}
			path, err := os.Readlink(link)
			if err != nil || seen[path] { // closed meanwhile
				continue
			}
			seen[path] = true
			name, _ := os.ReadFile(process + "/comm") // of a process that may have ended
			found = append(found, OpenFile{path, strings.TrimSpace(string(name)), pid})
		}
	}
	return found
}

// leadsTo reports whether a link of /proc leads to a file on a device. The kernel
// answers from what it knows.
func leadsTo(link string, major, minor int) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, link, unix.AT_STATX_DONT_SYNC, 0, &st)
	return err == nil && int(st.Dev_major) == major && int(st.Dev_minor) == minor
}
