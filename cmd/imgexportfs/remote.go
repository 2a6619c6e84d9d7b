package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"imgexportfs/xcat"
)

// remotePlace is a place on another host, which ssh leads to.
type remotePlace struct {
	host   string    // user@host
	path   string    // "" and what ends in a slash or is a directory take NAME.tgz
	stderr io.Writer // for what ssh and the remote shell say
}

// newRemotePlace checks the host, which must not pass for an option of ssh.
func newRemotePlace(host, path string, stderr io.Writer) (remotePlace, error) {
	if strings.HasPrefix(host, "-") || strings.ContainsAny(host, " \t\n/") {
		return remotePlace{}, usageError("%q is not the name of a host; write it as user@host", host)
	}
	return remotePlace{host: host, path: path, stderr: stderr}, nil
}

// String is the host.
func (p remotePlace) String() string { return p.host }

func (p remotePlace) target(name string) (target, error) {
	return remoteTarget{remotePlace: p, name: name}, nil
}

// remoteTarget is a file on another host. Nothing is staged on this one.
type remoteTarget struct {
	remotePlace
	name string
}

// receiver runs on the other host with the path, the name to use in a
// directory and the size. As on this host the bundle gets a hidden temporary
// name beside its own until it is whole and on the disk. It is one line, for
// the login shell that hands it to sh may be a csh.
const receiver = `umask 077; t=$1; ` +
	`case $t in ""|*/) t=$t$2;; *) if [ -d "$t" ]; then t=$t/$2; fi;; esac; ` +
	`case $t in /*) ;; *) t=./$t;; esac; ` +
	`tmp=$(mktemp "${t%/*}/.imgexport-XXXXXX") || exit 1; ` +
	`trap "exit 1" HUP INT TERM; trap "rm -f \"\$tmp\"" EXIT; ` +
	`cat >"$tmp" || exit 1; ` +
	`n=$(wc -c <"$tmp"); [ "$n" -eq "$3" ] || { echo "received $n of $3 bytes" >&2; exit 1; }; ` +
	`{ sync "$tmp" 2>/dev/null || sync; } && mv -f "$tmp" "$t"`

// write streams the bundle to the receiver. A connection that breaks looks
// like the end of the bundle there, so the receiver checks the size.
func (t remoteTarget) write(ctx context.Context, bundle exportable, size int64, progress func(int64)) (int64, error) {
	command := "sh -c " + shellQuoted(receiver) + " imgexport " +
		shellQuoted(t.path) + " " + shellQuoted(t.name+xcat.BundleSuffix) + " " + strconv.FormatInt(size, 10)
	ssh := exec.CommandContext(ctx, "ssh", "-o", "BatchMode=yes", "--", t.host, command)
	ssh.Stdout, ssh.Stderr = t.stderr, t.stderr
	stdin, err := ssh.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := ssh.Start(); err != nil {
		return 0, fmt.Errorf("copy to %s: %w", t.host, err)
	}
	// Both ends are heard: a full disk there breaks the pipe here, and a
	// source that changes here cuts the bundle short there.
	written, failed := copyExactly(ctx, stdin, bundle, progress)
	closed := stdin.Close()
	if err := oneLine(ssh.Wait(), failed, closed); err != nil {
		return 0, fmt.Errorf("copy to %s: %w", t.host, err)
	}
	return written, nil
}

// shellQuoted returns text as one word for any login shell.
func shellQuoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
