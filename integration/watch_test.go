package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

func init() { helpers["watch"] = helperWatch }

// sightings is what a watcher has seen of one name.
type sightings struct {
	Looks    int            // how often all of it was looked at
	Unlisted int            // listings that lacked the name
	Stats    map[string]int // results of stat: "ok" or the error's text
	Reads    map[string]int // results of open and read to the end
}

// helperWatch DIR NAME DURATION lists DIR, asks for the attributes of NAME in
// it and reads NAME, over and over. It prints sightings as JSON.
func helperWatch(args []string) error {
	dir, name := args[0], args[1]
	duration, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	seen := sightings{Stats: map[string]int{}, Reads: map[string]int{}}
	for end := time.Now().Add(duration); time.Now().Before(end); seen.Looks++ {
		names, err := readNames(dir)
		if err != nil {
			return fmt.Errorf("list %s: %w", dir, err)
		}
		if !slices.Contains(names, name) {
			seen.Unlisted++
		}
		_, err = os.Stat(filepath.Join(dir, name))
		seen.Stats[errorText(err)]++
		seen.Reads[errorText(readAll(filepath.Join(dir, name)))]++
	}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

// readNames lists a directory and asks for nothing else.
func readNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }() // only read
	return d.Readdirnames(-1)
}

func readAll(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	_, err = io.Copy(io.Discard, f)
	return err
}

// errorText is the name of an error without the path, "ok" for none.
func errorText(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}

// watcher starts to watch a name and returns a function that waits for the end
// and says what was seen.
func watcher(t *testing.T, dir, name string, duration time.Duration) func() sightings {
	t.Helper()
	done := make(chan result, 1)
	p := helperProcess(t, "watch", dir, name, duration.String())
	p.mayFail = true
	go func() { done <- p.run(t) }()
	return func() (seen sightings) {
		t.Helper()
		r := <-done
		if r.code != 0 {
			t.Fatalf("the watcher of %s: %s", name, r.stderr)
		}
		must(t, json.Unmarshal([]byte(r.stdout), &seen))
		return seen
	}
}
