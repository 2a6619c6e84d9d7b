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
}

// newServing opens the log file. It makes the paths of a daemon absolute, which leaves
// its working directory.
func newServing(f mountFlags, stderr io.Writer) (s serving, err error) {
	s = serving{log: stderr, notify: newNotifier()}
	if f.logFile != "" {
		if s.file, err = openLogFile(f.logFile); err != nil {
			return s, withCode(exitMount, err)
		}
		s.log = s.file
	}
	if isDaemon && f.site.cacheDir != "" {
		if f.site.cacheDir, err = filepath.Abs(f.site.cacheDir); err != nil {
			return s, withCode(exitMount, err)
		}
	}
	return s, nil
}

// begin is called when the mount answers. end is to be called when it is gone.
func (s serving) begin(ctx context.Context, site *xcat.Site, dir string, log *slog.Logger) (end func(), err error) {
	ctx, end = context.WithCancel(ctx)
	if s.file != nil || isDaemon || s.notify.isService() {
		hangups := make(chan os.Signal, 1)
		signal.Ignore(syscall.SIGHUP) // what untilInterrupted asked for ends here
		signal.Notify(hangups, syscall.SIGHUP)
		go s.followHangups(ctx, hangups, log)
	}
	if isDaemon {
		if err := leaveCaller(s.file); err != nil {
			end()
			return nil, err
		}
	}
	s.notify.send("READY=1", "STATUS="+statusLine(site.Status(), dir))
	go s.notify.keepStatus(ctx, site, dir)
	return end, nil
}

// followHangups opens the log file again at each SIGHUP, which ends a mount no more. In
// the foreground and without a log file SIGHUP says that the terminal is gone, and ends
// the mount.
func (s serving) followHangups(ctx context.Context, hangups <-chan os.Signal, log *slog.Logger) {
	for {
		select {
		case <-hangups:
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
