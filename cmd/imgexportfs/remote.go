package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"imgexportfs/xcat"
)

// remotePlace is a place on another host, reached through ssh. Nothing is staged on
// this host.
type remotePlace struct {
	host   string    // user@host
	path   string    // "" and what ends in a slash or is a directory take NAME.tgz
	stderr io.Writer // gets what ssh and the remote shell print
}

// newRemotePlace checks the host, which must not look like an option of ssh.
func newRemotePlace(host, path string, stderr io.Writer) (remotePlace, error) {
	if strings.HasPrefix(host, "-") || strings.ContainsAny(host, " \t\n/") {
		return remotePlace{}, usageError("%q is not the name of a host; for example root@mn2", host)
	}
	return remotePlace{host: host, path: path, stderr: stderr}, nil
}

// String is the host.
func (p remotePlace) String() string { return p.host }

// writer returns what streams the bundle to the receiver.
func (p remotePlace) writer(name string) (bundleWriter, error) {
	return func(ctx context.Context, b exportable, progress func(int64)) (int64, error) {
		return p.send(ctx, name+xcat.BundleSuffix, b, progress)
	}, nil
}

// send starts the receiver first, and compresses while it writes: what keeps the other
// host from taking the bundle shows at once, and no size has to be known.
func (p remotePlace) send(ctx context.Context, file string, b exportable, progress func(int64)) (int64, error) {
	ssh := exec.CommandContext(ctx, "ssh", p.sshArguments(file)...)
	ssh.WaitDelay = time.Second // a connection that is shared may keep stdout open
	var said bytes.Buffer
	ssh.Stdout, ssh.Stderr = &said, p.stderr
	stdin, err := ssh.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := ssh.Start(); err != nil {
		return 0, fmt.Errorf("copy to %s: %w", p.host, err)
	}
	// The errors of both ends count: a full disk there breaks the pipe here, and a
	// source that changes here truncates the bundle there.
	size, failed := copyExactly(ctx, stdin, b, progress)
	if failed == nil && ctx.Err() == nil { // the last moment to stop
		_, failed = fmt.Fprintf(stdin, endOfBundle, size)
	}
	closed := stdin.Close()
	ended := ssh.Wait()
	received := p.pass(said.String(), size)
	switch {
	case ctx.Err() != nil && !received:
		return 0, ctx.Err() // ssh was killed
	case errors.Is(failed, syscall.EPIPE):
		failed, closed = nil, nil // because ssh has ended
	}
	if err := oneLine(failed, closed, p.explained(ended, received)); err != nil {
		return 0, fmt.Errorf("copy to %s: %w", p.host, err)
	}
	return size, nil
}

// sshArguments are those of the ssh that starts the receiver. A host that never answers,
// or does not any more, is given up after less than a minute.
func (p remotePlace) sshArguments(file string) []string {
	command := "sh -c " + shellQuoted(receiver) + " imgexport " + shellQuoted(p.path) + " " + shellQuoted(file)
	return []string{
		"-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3",
		"--", p.host, command,
	}
}

// pass reports whether the receiver says on stdout that it has everything. What else is
// there, which login scripts may print, goes to stderr.
func (p remotePlace) pass(said string, size int64) (received bool) {
	for line := range strings.Lines(said) {
		if strings.TrimSpace(line) == receipt+strconv.FormatInt(size, 10) {
			received = true
		} else {
			fmt.Fprint(p.stderr, line)
		}
	}
	return received
}

// explained makes an error of how ssh ended. The reason is on stderr already.
func (p remotePlace) explained(ended error, received bool) error {
	exit, failed := errors.AsType[*exec.ExitError](ended)
	switch {
	case received:
		return nil
	case failed && exit.ExitCode() == sshFailed:
		return errors.New("ssh has no connection, or the host has ended the session; the reason is above")
	case failed:
		return fmt.Errorf("nothing was written there; the reason is above (%w)", ended)
	case ended != nil:
		return ended
	}
	return errors.New("the host has run another command than it was asked to; is the account limited to one?")
}

// sshFailed is the code of ssh for an error of its own.
const sshFailed = 255

// shellQuoted returns text as one word for any login shell.
func shellQuoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
