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

// receiver runs on the other host with the path, the name to use in a
// directory and the size. As on this host the bundle has a hidden temporary name
// until it is complete and on the disk. The script is one line, because the login
// shell that hands it to sh may be a csh.
const receiver = `umask 077; t=$1; ` +
	`case $t in ""|*/) t=$t$2;; *) if [ -d "$t" ]; then t=$t/$2; fi;; esac; ` +
	`case $t in /*) ;; *) t=./$t;; esac; ` +
	`tmp=$(mktemp "${t%/*}/.imgexport-XXXXXX") || exit 1; ` +
	`trap "exit 1" HUP INT TERM; trap "rm -f \"\$tmp\"" EXIT; ` +
	`cat >"$tmp" || exit 1; ` +
	`n=$(wc -c <"$tmp"); [ "$n" -eq "$3" ] || { echo "received $n of $3 bytes" >&2; exit 1; }; ` +
	`{ sync "$tmp" 2>/dev/null || sync; } && mv -f "$tmp" "$t"`

// writer returns what streams the bundle to the receiver. There, a broken connection
// looks like the end of the bundle, so the receiver checks the size.
func (p remotePlace) writer(name string) (bundleWriter, error) {
	return func(ctx context.Context, b exportable, progress func(int64)) (int64, error) {
		return p.send(ctx, name+xcat.BundleSuffix, b, progress)
	}, nil
}

func (p remotePlace) send(ctx context.Context, file string, b exportable, progress func(int64)) (int64, error) {
	size, err := b.Size(ctx)
	if err != nil {
		return 0, err
	}
	command := "sh -c " + shellQuoted(receiver) + " imgexport " +
		shellQuoted(p.path) + " " + shellQuoted(file) + " " + strconv.FormatInt(size, 10)
	ssh := exec.CommandContext(ctx, "ssh", "-o", "BatchMode=yes", "--", p.host, command)
	ssh.Stdout, ssh.Stderr = p.stderr, p.stderr
	stdin, err := ssh.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := ssh.Start(); err != nil {
		return 0, fmt.Errorf("copy to %s: %w", p.host, err)
	}
	// The errors of both ends count: a full disk there breaks the pipe here, and a
	// source that changes here truncates the bundle there.
	written, failed := copyExactly(ctx, stdin, b, progress)
	closed := stdin.Close()
	if err := oneLine(ssh.Wait(), failed, closed); err != nil {
		return 0, fmt.Errorf("copy to %s: %w", p.host, err)
	}
	return written, nil
}

// shellQuoted returns text as one word for any login shell.
func shellQuoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
