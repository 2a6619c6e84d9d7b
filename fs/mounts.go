package fs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/moby/sys/mountinfo"

	"imgexportfs/bundle/source"
)

var (
	// ErrGone reports a mount whose process has ended.
	ErrGone = errors.New("its process is gone")
	// ErrNoAnswer reports a mount that did not answer in time.
	ErrNoAnswer = errors.New("it does not answer")
)

// Mounts returns the directories where a site is mounted on this host, sorted. One that
// another mount covers is not among them. No mount is asked: it may be dead.
func Mounts() ([]string, error) {
	list, err := mountinfo.GetMounts(nil)
	if err != nil {
		return nil, source.TableError(err)
	}
	visible := map[string]bool{}
	for _, m := range list { // later ones cover those before them
		visible[m.Mountpoint] = m.FSType == source.OwnType && m.Root == "/"
	}
	maps.DeleteFunc(visible, func(_ string, ours bool) bool { return !ours })
	return slices.Sorted(maps.Keys(visible)), nil
}

// FindMount returns the directory of the mount on dir as Mounts has it.
func FindMount(dir string) (string, error) {
	real, err := realMountPoint(dir)
	if err != nil {
		return "", err
	}
	mounts, err := Mounts()
	if err == nil && !slices.Contains(mounts, real) {
		err = fmt.Errorf("%s %w", dir, ErrNotMounted)
	}
	return real, err
}

// reportMax is how long a report may be: a few names for each of 100,000 images.
const reportMax = 64 << 20

// ReadReport asks the mount on dir how it is doing. When ctx ends before there is an
// answer, the error is ErrNoAnswer, and the goroutine that waits for one is left behind.
func ReadReport(ctx context.Context, dir string) (Report, error) {
	type answer struct {
		report Report
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		report, err := readReport(filepath.Join(dir, statusName, statusFiles[0].name))
		answers <- answer{report, err}
	}()
	select {
	case a := <-answers:
		if errors.Is(a.err, syscall.ENOTCONN) || errors.Is(a.err, syscall.ECONNABORTED) {
			return Report{}, ErrGone
		}
		return a.report, a.err
	case <-ctx.Done():
		return Report{}, ErrNoAnswer
	}
}

func readReport(path string) (r Report, err error) {
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, reportMax))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
