package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"imgexportfs/xcat"
)

// serving is how a mount lives beside its site: where it logs, who is told of its
// state, and what a hangup means for it.
type serving struct {
	log    io.Writer
	file   *logFile // nil without --log-file
	notify notifier

	hangups chan os.Signal // nil: a hangup ends the mount
}

// newServing opens the log file and takes hangups, which end neither a mount with a log
// file nor a daemon or a service. In the foreground a hangup says that the terminal is
// gone, and ends the mount. newServing makes the paths of a daemon absolute, which leaves
// its working directory.
func newServing(f mountFlags, stderr io.Writer) (s serving, err error) {
	s = serving{log: stderr, notify: newNotifier()}
	if f.log.file != "" {
		if s.file, err = openLogFile(f.log.file); err != nil {
			return s, withCode(exitMount, err)
		}
		s.log = s.file
	}
	if isDaemon && f.site.cacheDir != "" {
		if f.site.cacheDir, err = filepath.Abs(f.site.cacheDir); err != nil {
			return s, withCode(exitMount, err)
		}
	}
	if s.file != nil || isDaemon || s.notify.isService() {
		s.hangups = make(chan os.Signal, 1)
		signal.Ignore(syscall.SIGHUP) // what untilInterrupted asked for ends here
		signal.Notify(s.hangups, syscall.SIGHUP)
	}
	return s, nil
}

// begin is called when the mount answers, and tells those who wait for it. end is to be
// called when the mount is gone.
func (s serving) begin(ctx context.Context, site *xcat.Site, dir string, log *slog.Logger) (end func()) {
	ctx, end = context.WithCancel(ctx)
	status := statusLine(site.Status(), dir)
	s.notify.send("READY=1", "STATUS="+status)
	if isDaemon {
		letCallerGo()
	}
	go s.followHangups(ctx, log)
	go s.notify.keepStatus(ctx, status, func() string { return statusLine(site.Status(), dir) })
	return end
}

// followHangups opens the log file again at each hangup.
func (s serving) followHangups(ctx context.Context, log *slog.Logger) {
	for {
		select {
		case <-s.hangups:
			s.notify.reload(func() { s.reopen(log) })
		case <-ctx.Done():
			return
		}
	}
}

func (s serving) reopen(log *slog.Logger) {
	if s.file == nil {
		return
	}
	if err := s.file.reopen(); err != nil {
		log.Error("the log goes on in the old file", "error", err)
	}
}
