package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"imgexportfs/integration/xcatsite"
)

// samples are what one way took, a value per run.
type samples []time.Duration

// percentile is the smallest sample that p percent of all do not exceed.
func (s samples) percentile(p int) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

func (s samples) median() time.Duration { return s.percentile(50) }

// way is one way of doing something.
type way struct {
	name string
	tool string // that must be installed, "" for none but the usual ones
	do   func() (time.Duration, error)
}

// inTurn runs every way once, then every way again, and so on. Each time another
// one begins, for what a way leaves behind (a disk that still writes, a processor
// that has been busy for long) is paid for by the next. A way whose tool is missing
// has no samples.
func (b *bench) inTurn(what string, ways ...way) (map[string]samples, error) {
	all := map[string]samples{}
	for i := range b.runs {
		fmt.Fprintf(os.Stderr, "%s, run %d of %d\n", what, i+1, b.runs)
		first := i % len(ways)
		for _, w := range slices.Concat(ways[first:], ways[:first]) {
			if _, err := exec.LookPath(w.tool); w.tool != "" && err != nil {
				continue
			}
			took, err := w.do()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			all[w.name] = append(all[w.name], took)
		}
	}
	return all, nil
}

// output runs a shell script with arguments and returns what it writes.
func output(script string, args ...string) ([]byte, error) {
	cmd := exec.Command("bash", append([]string{"-euo", "pipefail", "-c", script, "bash"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", script, err)
	}
	return out, nil
}

// timed runs a shell script and returns how long it took.
func timed(script string, args ...string) (time.Duration, error) {
	started := time.Now()
	_, err := output(script, args...)
	return time.Since(started), err
}

// making is timed for a script that writes files into the directory $1, which
// is made for it and removed after it. The size of $1/bundle is kept.
func (b *bench) making(name, script string, args ...string) (time.Duration, error) {
	out := filepath.Join(b.work, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return 0, err
	}
	took, err := timed(script, append([]string{out}, args...)...)
	if info, serr := os.Stat(filepath.Join(out, "bundle")); serr == nil {
		b.bytes[name] = info.Size()
	}
	return took, errors.Join(err, os.RemoveAll(out))
}

// makes is a way that is a script for making.
func (b *bench) makes(name, tool, script string, args ...string) way {
	return way{name, tool, func() (time.Duration, error) { return b.making(name, script, args...) }}
}

// onMount mounts a site for one measurement.
func (b *bench) onMount(site *xcatsite.Site, flags []string, measure func(s *server) (time.Duration, error)) (took time.Duration, err error) {
	s, err := startServer(b.program, site.Dir(), b.work, flags)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	return measure(s)
}

// copies is a way that copies the named bundle from a new mount.
func (b *bench) copies(name string, site *xcatsite.Site, bundle string, flags ...string) way {
	return way{name, "", func() (time.Duration, error) {
		return b.onMount(site, flags, func(s *server) (time.Duration, error) {
			return b.making(name, `cp "$2" "$1/bundle"`, filepath.Join(s.dir, bundle))
		})
	}}
}

// firstStat is a way that asks a new mount for the size of the named bundle.
func (b *bench) firstStat(name string, site *xcatsite.Site, bundle string, flags ...string) way {
	return way{name, "", func() (time.Duration, error) {
		return b.onMount(site, flags, func(s *server) (time.Duration, error) { return stat(filepath.Join(s.dir, bundle)) })
	}}
}

// stat is how long one stat(2) takes.
func stat(path string) (time.Duration, error) {
	started := time.Now()
	_, err := os.Stat(path)
	return time.Since(started), err
}
