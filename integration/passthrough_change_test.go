package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// changesOfASource happen under a reader; each gives the source's new bytes.
var changesOfASource = map[string]func(path string, size int) error{
	"rewritten in place": func(path string, size int) error { return os.WriteFile(path, xcatsite.Noise("other", size), 0o600) },
	"replaced by rename": func(path string, size int) error { return replaceFile(path, xcatsite.Noise("other", size)) },
	"longer":             func(path string, size int) error { return os.WriteFile(path, xcatsite.Noise("other", 2*size), 0o600) },
	"shorter":            func(path string, size int) error { return os.Truncate(path, int64(size/2)) },
	"same size and time": func(path string, size int) error {
		return errors.Join(os.WriteFile(path, xcatsite.Noise("other", size), 0o600), os.Chtimes(path, xcatsite.Epoch, xcatsite.Epoch))
	},
}

// Whoever copies a member while its source changes hears of it, passed through
// or not. A reader that is not passed through never gets bytes of two states.
func TestReadersHearOfAChangedSource(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	readers := map[string][]string{ // each writes what it has read to its standard output
		"cat": {"cat", ""},
		"cp":  {"cp", "", "/dev/stdout"},
		"dd":  {"dd", "bs=64K", "status=none", "if="},
		"tar": {"tar", "-cPf", "-", ""},
	}
	for _, way := range []string{"passthrough", "ro"} {
		for change, make := range changesOfASource {
			t.Run(way+" "+change, func(t *testing.T) {
				if way == "passthrough" {
					needPassthrough(t)
				}
				for reader, args := range readers {
					site := smallSite(t, size)
					m := mountSite(t, site.Dir(), "-o", way, "--refresh", "100ms")
					member, source := m.path("bar", rootimg), rootimgSource(site)
					r := interrupted(t, with(args, member), func() { must(t, make(source, size)) })
					expectComplaint(t, reader, way, r, xcatsite.Noise("rootimg", size))
					eventually(t, "the new state shows", func() bool {
						return process{args: []string{"cmp", member, source}, mayFail: true}.run(t).code == 0
					})
					m.stop(t)
				}
			})
		}
	}
}

// expectComplaint looks at what a reader said whose file was in the state
// before when it opened it.
func expectComplaint(t *testing.T, reader, way string, r result, before []byte) {
	t.Helper()
	if r.code == 0 {
		t.Errorf("%s has noticed nothing", reader)
	}
	if way == "passthrough" && !strings.Contains(r.stderr, "Stale file handle") {
		t.Errorf("%s says %q, not that the file is stale", reader, r.stderr)
	}
	// tar pads what it could not read.
	if way == "ro" && reader != "tar" && !strings.HasPrefix(string(before), r.stdout) {
		t.Errorf("%s has read other bytes than those of the state it opened", reader)
	}
}

// with puts the name of a file where args leave a place for it.
func with(args []string, file string) []string {
	var out []string
	for _, a := range args {
		if a == "" || strings.HasSuffix(a, "=") {
			a += file
		}
		out = append(out, a)
	}
	return out
}

// interrupted runs a program that reads more than a pipe holds, and calls
// change when it has begun and nobody takes what it writes.
func interrupted(t *testing.T, args []string, change func()) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := process{args: args}.command(ctx)
	var stdout, stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	_, err = io.CopyN(&stdout, pipe, 1)
	must(t, err)
	change()
	_, err = io.Copy(&stdout, pipe)
	must(t, err)
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v", args, err)
	}
	return result{stdout: stdout.String(), stderr: stderr.String(), code: exitCode(cmd.ProcessState)}
}

// This is why passthrough must be asked for: a reader that does not look at
// what close(2) says, such as rsync, takes bytes of two states for one file.
// When the server reads, the same reader is stopped.
func TestOnlyClosingTellsAPassedReader(t *testing.T) {
	needPassthrough(t)
	const size, first = 8 << 20, 1 << 20
	for _, way := range []string{"passthrough", "ro"} {
		t.Run(way, func(t *testing.T) {
			site := smallSite(t, size)
			m := mountSite(t, site.Dir(), "-o", way)
			reader := hold(t, m.path("bar", rootimg), first)
			other := xcatsite.Noise("other", size)
			must(t, os.WriteFile(rootimgSource(site), other, 0o600))
			hash, errno := reader.rest()
			if way == "ro" {
				if errno != syscall.ESTALE {
					t.Errorf("the reader got error %d (%v), hash %s; want ESTALE", errno, errno, hash)
				}
				return
			}
			mixture := append(xcatsite.Noise("rootimg", size)[:first], other[first:]...)
			if want := fmt.Sprintf("%x", sha256.Sum256(mixture)); errno != 0 || hash != want {
				t.Errorf("the reader got error %d (%v), hash %s; want the mixture, %s", errno, errno, hash, want)
			}
			m.stop(t)
			expectContains(t, "log", m.wholeLog(), "a source changed under an open file")
		})
	}
}
