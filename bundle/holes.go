package bundle

import (
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// holes knows where a sparse file has no data. A disk image of many gigabytes
// may have data in a few places only, and finding its size should not take
// compressing all the zeros between them.
type holes struct {
	once sync.Once
	data []extent // where there may be data, in order
}

type extent struct{ start, end int64 }

// extentsMax bounds what is remembered of one file; data is assumed from
// there on.
const extentsMax = 1 << 16

// cover reports whether the file f has only a hole from off to end. A nil
// *holes has none.
func (h *holes) cover(f *File, off, end int64) bool {
	if h == nil {
		return false
	}
	h.once.Do(func() { h.data = dataOf(f) })
	lo, hi := 0, len(h.data) // the first extent that ends behind off
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); h.data[mid].end > off {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo == len(h.data) || h.data[lo].start >= end
}

// dataOf asks the file system where f has data (lseek(2), SEEK_DATA). Where it
// cannot tell, all is data.
func dataOf(f *File) []extent {
	all := []extent{{0, f.Size()}}
	fd, err := f.open()
	if err != nil {
		return all
	}
	defer func() { _ = unix.Close(fd) }()
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
