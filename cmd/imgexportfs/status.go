package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"imgexportfs/fs"
)

func statusCommand() *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:      "status",
		Usage:     "say how the mounts of this host are doing, or the one on a directory",
		ArgsUsage: "[DIR]",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print an array of objects", DisableDefaultText: true, Destination: &asJSON},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				return usageError("status takes one directory at most, but there are %d arguments %q", c.NArg(), c.Args().Slice())
			}
			return runStatus(c.Context, c.Args().First(), asJSON, c.App.Writer)
		},
	}
}

// The states of a mount.
const (
	stateServing  = "serving"
	stateFailing  = "database failing"
	stateDead     = "dead"
	stateHanging  = "hanging"
	stateUnknown  = "unknown" // this user may not ask, or there is no report
	answerAwaited = 5 * time.Second
)

// mountStatus is an object of status --json.
type mountStatus struct {
	Mount  string     `json:"mount"`
	State  string     `json:"state"`
	Error  string     `json:"error,omitempty"` // why there is no report
	Report *fs.Report `json:"status,omitempty"`
}

func runStatus(ctx context.Context, dir string, asJSON bool, stdout io.Writer) error {
	dirs, err := mountsToAsk(dir)
	if err != nil {
		return withCode(exitMount, err)
	}
	all := askMounts(ctx, dirs)
	if ctx.Err() != nil {
		return withCode(exitMount, ctx.Err())
	}
	if asJSON {
		err = newJSONEncoder(stdout).Encode(all)
	} else {
		err = printStatus(stdout, all, time.Now())
	}
	if err != nil {
		return withCode(exitWrite, err)
	}
	if len(all) == 0 {
		return withCode(exitMount, fmt.Errorf("no %s is mounted on this host", programName))
	}
	return statusCode(all)
}

// mountsToAsk returns the mount on dir, or all if dir is "".
func mountsToAsk(dir string) ([]string, error) {
	if dir == "" {
		return fs.Mounts()
	}
	real, err := fs.FindMount(dir)
	return []string{real}, err
}

// askMounts asks mounts at the same time, and each no longer than answerAwaited.
func askMounts(ctx context.Context, dirs []string) []mountStatus {
	ctx, cancel := context.WithTimeout(ctx, answerAwaited)
	defer cancel()
	all := make([]mountStatus, len(dirs))
	var asking sync.WaitGroup
	for i, dir := range dirs {
		asking.Go(func() {
			report, err := fs.ReadReport(ctx, dir)
			all[i] = newMountStatus(dir, report, err)
		})
	}
	asking.Wait()
	return all
}

func newMountStatus(dir string, report fs.Report, err error) mountStatus {
	s := mountStatus{Mount: dir}
	switch {
	case errors.Is(err, fs.ErrGone):
		s.State = stateDead
	case errors.Is(err, fs.ErrNoAnswer):
		s.State = stateHanging
	case err != nil:
		s.State = stateUnknown
	case report.Error != "":
		s.State, s.Report = stateFailing, &report
	default:
		s.State, s.Report = stateServing, &report
	}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

// statusCode is the exit code for the worst of the mounts.
func statusCode(all []mountStatus) error {
	code := 0
	for _, s := range all {
		switch s.State {
		case stateServing:
		case stateFailing:
			code = max(code, exitProblems)
		default:
			code = exitMount
		}
	}
	if code == 0 {
		return nil
	}
	return &exitError{code: code}
}
