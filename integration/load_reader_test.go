package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func init() { helpers["loadread"], helpers["loadprobe"] = helperLoadRead, helperLoadProbe }

// loadReading is what a reader says of one bundle that it has had open.
type loadReading struct {
	Image    string
	From, To time.Duration
	States   []loadState // that have the bytes which were read
	Reads    int
	Errno    syscall.Errno // that ended it, or 0
	Wrong    string        // bytes of no state
	Probe    bool
	Took     []time.Duration // of the reads of 128 KiB, of a probe
	Stats    []time.Duration // how long each stat took, of a probe
}

// loadReader reads at random places.
type loadReader struct {
	mount      string
	references map[string][]loadReference
	images     []string
	random     *rand.Rand
}

func newLoadReader(mount, references string, seed, stream uint64) (*loadReader, error) {
	all, err := findReferences(references)
	if err != nil {
		return nil, err
	}
	return &loadReader{mount, all, slices.Sorted(maps.Keys(all)), rand.New(rand.NewPCG(seed, stream))}, nil
}

// read opens a random bundle and reads at random places of it.
func (r *loadReader) read() (s loadReading) {
	image := r.images[r.random.IntN(len(r.images))]
	s = loadReading{Image: image, From: monotonic()}
	defer func() { s.To = monotonic() }()
	direct := r.random.IntN(2) * syscall.O_DIRECT
	f, err := os.OpenFile(filepath.Join(r.mount, image+".tgz"), os.O_RDONLY|direct, 0)
	if err != nil {
		s.fail(err)
		return s
	}
	defer func() {
		_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) // the next one is to ask the server again
		_ = f.Close()
	}()
	info, err := f.Stat()
	if err != nil {
		s.fail(err)
		return s
	}
	left := slices.DeleteFunc(slices.Clone(r.references[image]), func(c loadReference) bool { return c.size != info.Size() })
	for range 5 + r.random.IntN(30) {
		off, length := randomRange(r.random, info.Size())
		buf := make([]byte, length)
		n, err := f.ReadAt(buf, off)
		if err != nil && !errors.Is(err, io.EOF) {
			s.fail(err)
			return s
		}
		s.Reads++
		left = slices.DeleteFunc(left, func(c loadReference) bool { return !c.has(buf[:n], off, length) })
		if len(left) == 0 {
			s.Wrong = fmt.Sprintf("%s of %d bytes: the %d bytes from %d on are those of no state that the reads before were of", image, info.Size(), n, off)
			return s
		}
	}
	for _, c := range left {
		s.States = append(s.States, c.State)
	}
	return s
}

func (s *loadReading) fail(err error) {
	if !errors.As(err, &s.Errno) {
		s.Wrong = err.Error()
	}
}

// has reports whether got is what a read of length bytes at off gives.
func (c loadReference) has(got []byte, off, length int64) bool {
	f, err := os.Open(c.path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	want := make([]byte, length)
	n, err := f.ReadAt(want, off)
	return (err == nil || errors.Is(err, io.EOF)) && bytes.Equal(got, want[:n])
}

// helperLoadRead MOUNT REFERENCES SEED N reads with N readers until its input ends, and
// writes a loadReading a line.
func helperLoadRead(args []string) error {
	seed, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	var mu sync.Mutex // guards out
	out := json.NewEncoder(os.Stdout)
	for i := range n {
		reader, err := newLoadReader(args[0], args[1], seed, uint64(i))
		if err != nil {
			return err
		}
		go func() {
			for {
				reading := reader.read()
				mu.Lock()
				_ = out.Encode(reading) // nobody listens at the end
				mu.Unlock()
			}
		}()
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// probePause is between two steps of a probe, so that it adds little to the load.
const probePause = 5 * time.Millisecond

// helperLoadProbe MOUNT REFERENCES SEED measures what one client sees of the bundles of
// known size: in turn a stat and a read of 128 KiB past the kernel's cache.
func helperLoadProbe(args []string) error {
	seed, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	r, err := newLoadReader(args[0], args[1], seed, 0)
	if err != nil {
		return err
	}
	r.images = slices.DeleteFunc(r.images, func(image string) bool { return len(r.references[image]) > 1 })
	go func() {
		out := json.NewEncoder(os.Stdout)
		for {
			_ = out.Encode(r.probe()) // nobody listens at the end
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// probe looks at one bundle.
func (r *loadReader) probe() (s loadReading) {
	const length = 128 << 10
	image := r.images[r.random.IntN(len(r.images))]
	want := r.references[image][0]
	s = loadReading{Image: image, From: monotonic(), States: []loadState{want.State}, Probe: true}
	defer func() { s.To = monotonic() }()
	f, err := os.OpenFile(filepath.Join(r.mount, image+".tgz"), os.O_RDONLY|syscall.O_DIRECT, 0)
	if err != nil {
		s.fail(err)
		return s
	}
	defer func() { _ = f.Close() }() // only read
	for range 10 {
		other := r.images[r.random.IntN(len(r.images))]
		began := monotonic()
		info, err := os.Stat(filepath.Join(r.mount, other+".tgz"))
		s.Stats = append(s.Stats, monotonic()-began)
		if err != nil || info.Size() != r.references[other][0].size {
			s.Wrong = fmt.Sprintf("stat of %s: %v, %v", other, info, err)
			return s
		}
		time.Sleep(probePause)
		off := r.random.Int64N(want.size - length)
		buf := make([]byte, length)
		began = monotonic()
		n, err := f.ReadAt(buf, off)
		s.Took = append(s.Took, monotonic()-began)
		if s.Reads++; err != nil || !want.has(buf[:n], off, length) {
			s.Wrong = fmt.Sprintf("a probe of %s at %d: %d bytes, %v", image, off, n, err)
			return s
		}
		time.Sleep(probePause)
	}
	return s
}
