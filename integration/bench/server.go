package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a running `imgexportfs mount`.
type server struct {
	dir string
	cmd *exec.Cmd
	log bytes.Buffer
}

// startServer mounts the site below root on a new directory in work. It
// remembers no sizes unless the flags say where.
func startServer(program, root, work string, flags []string) (*server, error) {
	dir, err := os.MkdirTemp(work, "mount-")
	if err != nil {
		return nil, err
	}
	args := append([]string{"mount", "--root", root, "--cache-dir", ""}, flags...)
	s := &server{dir: dir, cmd: exec.Command(program, append(args, dir)...)}
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		if bytes.Contains(mounts, []byte(" "+dir+" ")) {
			return s, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("nothing is mounted on %s", dir), s.stop())
}

// stop ends the server and removes its directory.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("mount: %w: %s", err, s.log.String())
	}
	return os.Remove(s.dir)
}

// peakMemory is the most memory that the server has had resident, in bytes.
func (s *server) peakMemory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("/proc/PID/status has no VmHWM")
}
