package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Set once by TestMain.
var (
	programFile string // the program under test
	scratch     string // everything that the tests write is below this
)

// TestMain builds the program, runs the tests in one scratch directory, and
// fails the run if a mount is left below it, or if the program had a data race.
func TestMain(m *testing.M) {
	if name := os.Getenv(helperVariable); name != "" {
		os.Exit(runHelper(name, os.Args[1:]))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	// Under nohup children would ignore a hangup, which some tests send.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	syscall.Umask(0o022) // modes of what the tests write must not depend on the caller
	dir, err := os.MkdirTemp("", "imgexportfs-test-")
	if err != nil {
		return fatal(err)
	}
	// Mount points are compared with what the kernel says, so no links.
	if scratch, err = filepath.EvalSymlinks(dir); err != nil {
		return fatal(err)
	}
	for name, value := range map[string]string{"TMPDIR": scratch, "LC_ALL": "C.UTF-8", "TZ": "UTC"} {
		if err := os.Setenv(name, value); err != nil {
			return fatal(err)
		}
	}
	if err := errors.Join(watchRaces(), buildProgram()); err != nil {
		return fatal(err)
	}
	code := m.Run()
	removeSeparation()
	if reports, err := foundRaces(); err != nil {
		return fatal(err)
	} else if reports != "" {
		fmt.Fprintf(os.Stderr, "FAIL: the program has data races:\n%s", reports)
		code = 1
	}
	if left := unmountLeftovers(scratch); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: the tests left mounts behind: %s\n", strings.Join(left, ", "))
		code = 1
	}
	if err := os.RemoveAll(scratch); err != nil {
		return fatal(err)
	}
	return code
}

func fatal(err error) int {
	fmt.Fprintln(os.Stderr, "FAIL: integration tests cannot start or end:", err)
	return 1
}

// buildProgram sets programFile. The program is built as it is released, without
// cgo, unless the race detector is asked for, which needs it.
func buildProgram() error {
	if programFile = os.Getenv("IMGEXPORTFS_BINARY"); programFile != "" {
		abs, err := filepath.Abs(programFile)
		programFile = abs
		return err
	}
	programFile = filepath.Join(scratch, "imgexportfs")
	args := []string{"build", "-o", programFile}
	cgo := "CGO_ENABLED=0"
	if raced() {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	build := exec.Command("go", append(args, "imgexportfs/cmd/imgexportfs")...)
	build.Env = append(os.Environ(), cgo)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}
