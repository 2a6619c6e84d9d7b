package source

import (
	"errors"
	"sort"
	"sync"

	"golang.org/x/sys/unix"
)

// holes knows where a sparse file has no data. A disk image of many gigabytes
// may have data in a few places only, and to find its size should not take
// compressing all the zeros between them.
type holes struct {
	once sync.Once
	data []extent // where there may be data, in order
}

type extent struct{ start, end int64 }

// extentsMax bounds what is remembered of one file. All behind the last extent
// is taken for data.
const extentsMax = 1 << 16

// IsHole reports whether the file has no data from off to end.
func (f *File) IsHole(off, end int64) bool {
	if f.holes == nil {
		return false
	}
	f.holes.once.Do(func() { f.holes.data = f.findData() })
	data := f.holes.data
	i := sort.Search(len(data), func(i int) bool { return data[i].end > off })
	return i == len(data) || data[i].start >= end
}

// findData asks the file system where the file has data (lseek(2), SEEK_DATA).
// If it cannot tell, all is data.
func (f *File) findData() []extent {
	all := []extent{{0, f.Size()}}
	fd, err := f.open()
	if err != nil {
		return all
	}
	defer func() { _ = unix.Close(fd) }()
	f.identity.settle()
	var data []extent
	for off := int64(0); off < f.Size(); {
		start, err := unix.Seek(fd, off, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // nothing but a hole is left
		}
		if err != nil {
			return all
		}
		end, err := unix.Seek(fd, start, unix.SEEK_HOLE)
		if err != nil {
			return all
		}
		if len(data) == extentsMax {
			return append(data, extent{start, f.Size()})
		}
		data = append(data, extent{start, end})
		off = end
	}
	if f.check(fd) != nil {
		return all
	}
	return data
}
