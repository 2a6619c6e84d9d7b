package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// tests are some tests of a package.
type tests struct {
	pkg string // as the go command takes it: "./bundle"
	run string // which of them, as -run takes it; "" for all
}

func parseTests(text string) tests {
	pkg, run, _ := strings.Cut(strings.TrimSpace(text), " ")
	return tests{pkg, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(run), "-run"))}
}

func (t tests) String() string { return strings.TrimSuffix(t.pkg+" -run "+t.run, " -run ") }

// outcome is how tests end.
type outcome string

const (
	passed     outcome = "passed"
	failed     outcome = "failed"
	endless    outcome = "endless"    // they had not ended in time
	uncompiled outcome = "uncompiled" // there was nothing to run
)

// result is what came of running tests.
type result struct {
	outcome
	by     string // the test that failed, if it is known
	output string
	took   time.Duration
}

// runner runs tests of the project.
type runner struct {
	root string
	temp string // what the tests write is below, and the overlay
}

// with runs tests while the go command reads another text for a file; "" for none.
func (r runner) with(t tests, file string, text []byte, limit time.Duration) (result, error) {
	flags := os.Getenv("GOFLAGS")
	if file != "" {
		overlay, err := r.overlay(file, text)
		if err != nil {
			return result{}, err
		}
		// Tests of the whole program build it themselves, so a flag of go test would not do.
		flags = strings.TrimSpace(flags + " -overlay=" + overlay)
	}
	dir, err := os.MkdirTemp(r.temp, "run-")
	if err != nil {
		return result{}, err
	}
	defer removeLeftovers(dir)
	args := []string{"test", "-count=1", "-short", "-failfast", "-vet=off", "-timeout", limit.String()}
	if t.run != "" {
		args = append(args, "-run", t.run)
	}
	// Nothing ends a test binary that its own time limit does not end, but this.
	ctx, cancel := context.WithTimeout(context.Background(), limit+2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append(args, t.pkg)...)
	cmd.Dir = r.root
	cmd.Env = append(os.Environ(), "GOFLAGS="+flags, "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	began := time.Now()
	out, err := cmd.CombinedOutput()
	_ = cmd.Cancel() // programs that the tests have left
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && ctx.Err() == nil && !errors.Is(err, exec.ErrWaitDelay) {
		return result{}, err
	}
	return result{outcomeOf(err, ctx.Err(), out), failedTest(out), string(out), time.Since(began)}, nil
}

// overlay writes what go calls an overlay: other texts in the place of files.
func (r runner) overlay(file string, text []byte) (string, error) {
	changed := filepath.Join(r.temp, "changed.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(r.root, filepath.FromSlash(file)): changed,
	}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(r.temp, "overlay.json")
	return path, errors.Join(os.WriteFile(changed, text, 0o600), os.WriteFile(path, overlay, 0o600))
}

func outcomeOf(err, late error, out []byte) outcome {
	has := func(text string) bool { return bytes.Contains(out, []byte(text)) }
	switch {
	case late != nil || has("panic: test timed out after"):
		return endless
	case err == nil:
		return passed
	case has("[build failed]") || has("[setup failed]") || has("build the program:"):
		return uncompiled
	}
	return failed
}

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

func failedTest(out []byte) string {
	if found := failure.FindSubmatch(out); found != nil {
		return string(found[1])
	}
	return ""
}

// limits runs the tests of all mutants without any, which must pass, and returns how long
// each may take with one: several times as long, because a mutant that is found to hang
// counts as killed.
func (r runner) limits(list []mutant, say func(format string, args ...any)) (map[tests]time.Duration, error) {
	limits := map[tests]time.Duration{}
	for _, m := range list {
		for _, t := range m.tests {
			if _, known := limits[t]; known {
				continue
			}
			got, err := r.with(t, "", nil, 10*time.Minute)
			if err != nil {
				return nil, err
			}
			if got.outcome != passed {
				return nil, fmt.Errorf("without a mutant, %s: %s\n%s", t, got.outcome, got.output)
			}
			if strings.Contains(got.output, "no tests to run") {
				return nil, fmt.Errorf("%s: %s: there is no such test", m.at, t)
			}
			say("%-10s %6.1fs  %s", got.outcome, got.took.Seconds(), t)
			limits[t] = (20*time.Second + 5*got.took).Round(time.Second)
		}
	}
	return limits, nil
}
