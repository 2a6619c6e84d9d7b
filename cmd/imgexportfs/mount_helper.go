package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"imgexportfs/fs"
)

// helperNames are the names of links to the program through which mount(8) starts it
// for the types imgexportfs and fuse.imgexportfs.
var helperNames = []string{"mount." + programName, "mount.fuse." + programName}

func isMountHelper(name string) bool { return slices.Contains(helperNames, filepath.Base(name)) }

// The exit codes that mount(8) documents, and passes on.
const (
	helperUsage  = 1
	helperFailed = 32
)

// helperArgs is the command line of a mount helper: SOURCE DIR [-sfnvrw] [-N NAMESPACE]
// [-o OPTIONS] [-t TYPE].
type helperArgs struct {
	source, dir         string
	options             []string
	namespace           string
	fake, sloppy        bool
	verbose             bool
	readOnly, readWrite bool
}

// parseHelperArgs reads what mount(8) gives its helpers.
func parseHelperArgs(args []string) (*helperArgs, error) {
	h := &helperArgs{}
	set := pflag.NewFlagSet("mount", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVarP(&h.sloppy, "sloppy", "s", false, "")
	set.BoolVarP(&h.fake, "fake", "f", false, "")
	set.BoolVarP(&h.verbose, "verbose", "v", false, "")
	set.BoolVarP(&h.readOnly, "read-only", "r", false, "")
	set.BoolVarP(&h.readWrite, "rw", "w", false, "")
	set.StringVarP(&h.namespace, "namespace", "N", "", "")
	set.StringArrayVarP(&h.options, "options", "o", nil, "")
	set.BoolP("no-mtab", "n", false, "") // there is no other table than the kernel's
	set.StringP("types", "t", "", "")    // it has led here
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if set.NArg() != 2 {
		return nil, fmt.Errorf("a source and a directory are needed, but there are %d arguments", set.NArg())
	}
	h.source, h.dir = set.Arg(0), set.Arg(1)
	return h, nil
}

// noSource is the source in fstab of a site that is found as usual.
const noSource = "none"

// command is the command line of the program that does the same.
func (h *helperArgs) command() []string {
	args := []string{programName, "mount", "--daemon"}
	if h.source != noSource {
		args = append(args, "--cfgloc="+h.source)
	}
	for _, flag := range []struct {
		name string
		on   bool
	}{{"--fake", h.fake}, {"--sloppy", h.sloppy}, {"--verbose", h.verbose}, {"-o=ro", h.readOnly}, {"-o=rw", h.readWrite}} {
		if flag.on {
			args = append(args, flag.name)
		}
	}
	for _, options := range h.options {
		args = append(args, "-o="+options)
	}
	return append(args, "--", h.dir)
}

// runMountHelper mounts in the background, as mount(8) expects of its helpers, and
// returns the exit code.
func runMountHelper(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	switch {
	case slices.Contains([]string{"-h", "--help"}, strings.Join(args[1:], " ")):
		fmt.Fprintf(stdout, "Usage: %s SOURCE DIR [-o OPTIONS]\nman 8 mount.%s says what they are.\n", filepath.Base(args[0]), programName)
		return 0
	case slices.Contains([]string{"-V", "--version"}, strings.Join(args[1:], " ")):
		if printVersion(stdout) != nil {
			return helperFailed
		}
		return 0
	}
	h, err := parseHelperArgs(args[1:])
	if err != nil {
		text := fmt.Sprintf("Error: %v; usage: %s SOURCE DIR [-o OPTIONS]", err, filepath.Base(args[0]))
		fmt.Fprintln(stderr, printable(stderr, withoutPasswords(text, args)))
		return helperUsage
	}
	if h.namespace != "" {
		if err := enterNamespace(h.namespace); err != nil {
			fmt.Fprintln(stderr, "Error:", printable(stderr, err.Error()))
			return helperFailed
		}
	}
	if h.isDone() {
		return 0
	}
	if !h.verbose {
		stdout = io.Discard // mount(8) is silent
	}
	switch code := run(ctx, h.command(), stdout, stderr); code {
	case 0:
		return 0
	case exitUsage:
		return helperUsage
	default:
		return helperFailed
	}
}

// isDone reports whether the line of fstab has been mounted already. mount -a finds that
// out by the source, but cannot where the table of mounts does not show this line's.
func (h *helperArgs) isDone() bool {
	return (h.source == noSource || hasPassword(h.source)) && fs.IsMounted(h.dir)
}

// enterNamespace makes the processes that this one starts see the mounts of another
// namespace, which is a file of it or the number of a process.
func enterNamespace(name string) error {
	if !filepath.IsAbs(name) {
		name = "/proc/" + name + "/ns/mnt"
	}
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	defer func() { _ = unix.Close(fd) }()
	runtime.LockOSThread() // only this thread enters; it starts the daemon
	if err := errors.Join(unix.Unshare(unix.CLONE_FS), unix.Setns(fd, unix.CLONE_NEWNS)); err != nil {
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	return nil
}
