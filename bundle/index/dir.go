package index

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"imgexportfs/bundle/blocks"
)

// dir is a directory with one small file for each bundle that took long to
// measure. Any number of processes and hosts may share it: a file is replaced as a
// whole, and one that fails its checksum is ignored. Any file may be deleted at
// any time.
//
// A nil *dir holds nothing.
type dir struct {
	path string
	warn func(error)
	once sync.Once // for the one warning

	patience blocks.Patience
}

// try calls f, which uses a file, and reports whether it has returned: the directory may
// be on a server that is gone.
func (d *dir) try(f func()) bool {
	answered := d.patience.Try(f, nil)
	if !answered {
		d.complain(errors.New("the directory does not answer"))
	}
	return answered
}

const (
	fileSuffix = ".index"
	tempPrefix = "." // of files that are being written
	// fileMax is the size of the largest file that is read: the segments of a
	// bundle of 1 TiB.
	fileMax = 64 << 20

	// Files that were not used for so long are removed when a directory is
	// opened, and those beyond this size in all, the oldest first.
	ageMax  = 90 * 24 * time.Hour
	sizeMax = 256 << 20

	// clocksDiffer is by how much the clocks of hosts that share a directory may differ.
	clocksDiffer = time.Hour
)

// openDir makes the directory if need be. Without the permission to write
// there its files are still read, and warn is told once.
func openDir(path string, warn func(error)) *dir {
	if path == "" {
		return nil
	}
	d := &dir{path: path, warn: warn}
	if err := os.MkdirAll(path, 0o700); err != nil {
		d.complain(err)
		return d
	}
	d.prune(time.Now())
	return d
}

func (d *dir) complain(err error) {
	d.once.Do(func() {
		if d.warn != nil {
			d.warn(fmt.Errorf("sizes and checksums are not kept on disk: %w", err))
		}
	})
}

func (d *dir) file(name blocks.Key) string {
	return filepath.Join(d.path, hex.EncodeToString(name[:16])+fileSuffix)
}

// read returns the file called name, or an empty one.
func (d *dir) read(name blocks.Key) file {
	var f file
	if d == nil || !d.try(func() { f = d.readFile(name) }) {
		return file{}
	}
	return f
}

func (d *dir) readFile(name blocks.Key) file {
	path := d.file(name)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > fileMax {
		return file{}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return file{}
	}
	f, err := decode(b)
	if err != nil {
		return file{} // cut short by a crash, or of another version
	}
	now := time.Now()
	if age := now.Sub(info.ModTime()); age > 24*time.Hour || age < 0 {
		_ = os.Chtimes(path, now, now) // it is in use
	}
	return f
}

// write replaces the file called name.
func (d *dir) write(name blocks.Key, f file) {
	if d == nil {
		return
	}
	d.try(func() {
		if err := renameio.WriteFile(d.file(name), f.encode(), 0o600, renameio.WithTempDir(d.path)); err != nil {
			d.complain(err)
		}
	})
}

// remove removes the file called name.
func (d *dir) remove(name blocks.Key) {
	if d == nil {
		return
	}
	d.try(func() {
		if err := os.Remove(d.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.complain(err)
		}
	})
}

// prune removes files that were not used for long, and those that crashes have
// left behind. Of a file that is dated in the future, as after a clock was set back, the
// use is not known: it goes before others, and counts as used now.
func (d *dir) prune(now time.Time) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		d.complain(err)
		return
	}
	var files []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.Contains(e.Name(), fileSuffix) {
			continue
		}
		files = append(files, info)
	}
	lastUse := func(info fs.FileInfo) time.Time {
		if info.ModTime().After(now.Add(clocksDiffer)) {
			return time.Time{}
		}
		return info.ModTime()
	}
	sort.Slice(files, func(i, j int) bool { return lastUse(files[i]).After(lastUse(files[j])) })
	total := int64(0)
	for _, info := range files {
		path := filepath.Join(d.path, info.Name())
		age, limit := now.Sub(info.ModTime()), ageMax
		if strings.HasPrefix(info.Name(), tempPrefix) {
			age, limit = age.Abs(), time.Hour
		}
		if total+info.Size() > sizeMax || age > limit {
			_ = os.Remove(path)
			continue
		}
		if age < -clocksDiffer {
			_ = os.Chtimes(path, now, now)
		}
		total += info.Size()
	}
}
