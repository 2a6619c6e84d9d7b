package fs

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/moby/sys/mountinfo"
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
