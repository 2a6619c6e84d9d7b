package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/xcat"
)

// notifier tells a service manager what a mount does, as sd_notify(3). The protocol is
// a datagram of lines, so a library would be longer than what it does.
type notifier struct{ socket string }

// newNotifier takes the socket out of the environment, because programs that this one
// starts do not speak for the service.
func newNotifier() notifier {
	n := notifier{os.Getenv("NOTIFY_SOCKET")}
	_ = os.Unsetenv("NOTIFY_SOCKET")
	return n
}

// isService reports whether a service manager listens.
func (n notifier) isService() bool { return n.socket != "" }

// send sends lines of the form NAME=VALUE. A manager that does not listen any more is
// no reason to end a mount.
func (n notifier) send(lines ...string) {
	if !n.isService() {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	_, _ = c.Write([]byte(strings.Join(lines, "\n")))
}

// reload says that something is reloaded, does it, and says that it is done.
func (n notifier) reload(what func()) {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // which fails for no clock of every Linux
	n.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
	what()
	n.send("READY=1")
}

// statusPeriod is how often the line that systemctl status shows is looked at.
const statusPeriod = 2 * time.Second

// keepStatus sends the line of a mount whenever it is another one than was said.
func (n notifier) keepStatus(ctx context.Context, said string, line func() string) {
	if !n.isService() {
		return
	}
	tick := time.NewTicker(statusPeriod)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if now := line(); now != said {
			n.send("STATUS=" + now)
			said = now
		}
	}
}

// statusLine says what a mount shows, and whether its database can be read.
func statusLine(s xcat.Status, dir string) string {
	line := fmt.Sprintf("%s of %s on %s", counted(s.Images, "image"), s.Database, dir)
	if s.Err != nil {
		line += fmt.Sprintf("; the database cannot be read since %s: %v", s.Since.Format(time.DateTime), s.Err)
	}
	return escaped(line)
}
