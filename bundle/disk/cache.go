package disk

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"imgexportfs/bundle/blocks"
)

// Options say where a Cache is and how large it may become.
type Options struct {
	Dir  string      // the cache's own directory is made below; "" is no cache
	Size int64       // bytes that all segments may take; 0 is no cache
	Warn func(error) // is told once that the cache cannot be used, and why

	// Get returns memory for n bytes, and Put takes it back when it is used no more.
	Get func(n int64) []byte
	Put func([]byte)
}

// Cache keeps segments in a directory. Any number of processes and hosts may
// share it. A nil *Cache keeps nothing. It is safe for use by several goroutines.
type Cache struct {
	dir    string
	o      Options
	warned sync.Once

	patience blocks.Patience // with the files that are read
	writes   chan write
	ended    chan struct{} // closed when no more is written

	mu     sync.Mutex // guards closed, and sending to writes
	closed bool

	counts counts

	// Only the goroutine that writes uses these.
	retry time.Time // after a failed write: when the next one may be tried
	account
}

// write is a segment that waits to be written.
type write struct {
	key  blocks.Key
	data []byte
}

const (
	// writesMax is how many segments wait to be written at most. A disk that is
	// slower than the compression gets no more: a later reader makes them again.
	writesMax = 8
	// touchAfter is how old the time of a file in use may become. It orders what
	// is removed.
	touchAfter = 10 * time.Minute
	// retryAfter is how long nothing is written after a failure, such as a full
	// disk.
	retryAfter = time.Minute
)

// Open returns the cache in a directory, which is made if need be. If it cannot be
// used, warn is told and the cache is nil.
func Open(o Options) *Cache {
	if o.Dir == "" || o.Size <= 0 {
		return nil
	}
	c := &Cache{
		dir: filepath.Join(o.Dir, "segments"), o: o,
		writes: make(chan write, writesMax), ended: make(chan struct{}),
	}
	if err := c.makeDir(o.Dir); err != nil {
		c.complain(err)
		return nil
	}
	c.limit = min(o.Size, c.free()/2) // until the files are counted
	c.counts.show(c.account)
	go c.run()
	return c
}

func (c *Cache) makeDir(parent string) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	return errors.Join(checkPrivate(parent), checkPrivate(c.dir))
}

func (c *Cache) complain(err error) {
	c.warned.Do(func() {
		if c.o.Warn != nil {
			c.o.Warn(fmt.Errorf("compressed segments are not cached on disk: %w", err))
		}
	})
}

// path is the file of a segment: one of 256 directories holds it.
func (c *Cache) path(k blocks.Key) string {
	name := hex.EncodeToString(k[:])
	return filepath.Join(c.dir, name[:2], name[2:])
}

// Get returns a segment of at most so many bytes, in memory of Options.Get.
func (c *Cache) Get(k blocks.Key, most int64) (data []byte, ok bool) {
	if c == nil {
		return nil, false
	}
	var read []byte
	var err error
	answered := c.patience.Try(func() {
		if read, err = c.read(k, most); errors.Is(err, errFile) {
			_ = os.Remove(c.path(k)) // it will be written again
		}
	}, func() {
		if err == nil {
			c.o.Put(read)
		}
	})
	switch {
	case !answered:
		c.complain(errSilent)
		return nil, false
	case err != nil:
		return nil, false
	}
	c.counts.found.Add(1)
	return read, true
}

var errSilent = errors.New("its files do not answer")

// Has reports whether a file of the segment is there, which Get may refuse.
func (c *Cache) Has(k blocks.Key) bool {
	if c == nil {
		return false
	}
	var err error
	return c.patience.Try(func() { _, err = os.Lstat(c.path(k)) }, nil) && err == nil
}

// Length returns how long a segment is without reading it. Get may find that
// it is not there after all.
func (c *Cache) Length(k blocks.Key) (n int64, ok bool) {
	if c == nil {
		return 0, false
	}
	var err error
	var length int64
	answered := c.patience.Try(func() {
		var f *os.File
		if f, _, length, err = openFile(c.path(k)); err == nil {
			_ = f.Close()
		}
	}, nil)
	if !answered {
		c.complain(errSilent)
		return 0, false
	}
	return length, err == nil
}

// Put has a copy of a segment written in the background, if there is room for it.
func (c *Cache) Put(k blocks.Key, data []byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.writes) == cap(c.writes) {
		return
	}
	c.writes <- write{k, append(c.o.Get(int64(len(data)))[:0], data...)}
}

// Close returns when what was put is written, or after a while if the disk does
// not take it.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.writes)
	}
	c.mu.Unlock()
	select {
	case <-c.ended:
	case <-time.After(2 * time.Second):
	}
}

// run writes what is put until the cache is closed. The files are counted when
// there is nothing to write, for that takes a while.
func (c *Cache) run() {
	defer close(c.ended)
	counted := false
	idle := time.NewTimer(countAfter)
	for {
		select {
		case w, ok := <-c.writes:
			if !ok {
				if !counted {
					c.trim()
				}
				return
			}
			c.write(w)
		case <-idle.C:
			c.trim()
			counted = true
		}
		c.counts.show(c.account)
	}
}

// countAfter is how long after the start the files are counted: a first copy is
// under way then, or the process has ended.
const countAfter = 2 * time.Second

func (c *Cache) write(w write) {
	defer c.o.Put(w.data)
	if time.Now().Before(c.retry) || !c.takeRoom(int64(headerSize+len(w.data))) {
		return
	}
	if err := writeFile(c.path(w.key), w.key, w.data); err != nil {
		c.counts.failed.Add(1)
		c.complain(err)
		c.retry = time.Now().Add(retryAfter)
		return
	}
	c.counts.written.Add(1)
}
