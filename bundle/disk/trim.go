package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// account is how much the cache takes.
type account struct {
	used    int64 // bytes of all files, as far as this process knows
	limit   int64 // that used may reach
	written int64 // since the files were last counted
}

// recountAfter is the part of the limit, as its divisor, that one process writes
// before it counts again: others may have written too.
const recountAfter = 32

// takeRoom reports whether there is room for n more bytes, which are then taken.
// It removes what was not used for longest if there is none.
func (c *Cache) takeRoom(n int64) bool {
	if c.written > c.limit/recountAfter || c.used+n > c.limit {
		c.trim()
	}
	if c.used+n > c.limit {
		return false
	}
	c.used += n
	c.written += n
	return true
}

// cached is a file of the cache.
type cached struct {
	path string
	size int64
	time time.Time
}

// trim counts the files, and removes those not used for longest if they take more
// than the limit, or nearly so. Files that a crash has left half written go too.
func (c *Cache) trim() {
	files := c.list()
	used := int64(0)
	for _, f := range files {
		used += f.size
	}
	c.limit = min(c.o.Size, (used+c.free())/2)
	if used > c.limit-c.limit/recountAfter {
		sort.Slice(files, func(i, j int) bool { return files[i].time.Before(files[j].time) })
		for _, f := range files {
			if used <= c.limit-c.limit/8 {
				break
			}
			if os.Remove(f.path) == nil {
				used -= f.size
			}
		}
	}
	c.used, c.written = used, 0
}

// list returns the files of the cache.
func (c *Cache) list() []cached {
	var files []cached
	now := time.Now()
	_ = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what cannot be listed does not count
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		age := now.Sub(info.ModTime())
		if strings.HasPrefix(d.Name(), strings.TrimSuffix(tempPattern, "*")) && (age > time.Hour || age < -time.Hour) {
			_ = os.Remove(path)
			return nil
		}
		used := info.ModTime()
		if -age > touchAfter {
			used = time.Time{} // the clock was set back; nothing is known of its use
		}
		files = append(files, cached{path, info.Size(), used})
		return nil
	})
	return files
}

// free is how many bytes are free on the file system of the cache.
func (c *Cache) free() int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(c.dir, &st); err != nil {
		return 0
	}
	return int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // the width differs between platforms
}
