package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
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
)

// shelf is a directory with one small file, a volume, for each bundle that
// took long to measure. Any number of processes and hosts may share it: a
// volume is written under a temporary name and renamed, and one that does not
// bear its own checksum is as good as none. All of it may be deleted at any
// time, for everything on it can be found again.
//
// A nil *shelf holds nothing.
type shelf struct {
	dir  string
	warn func(error)
	once sync.Once // for the one warning
}

// volume is what is known of one bundle.
type volume struct {
	lengths map[key]uint32
	sums    map[key][32]byte
}

const (
	volumeMagic  = "imgexportfs index 1\n"
	volumeSuffix = ".index"
	// volumeMax is the size of the largest volume that is read: the
	// segments of a bundle of 1 TiB.
	volumeMax = 64 << 20

	// What is older, or goes beyond this size in all, is removed when a
	// shelf is opened, the oldest first.
	shelfAge  = 90 * 24 * time.Hour
	shelfSize = 256 << 20
)

// openShelf makes the directory if need be. Without the permission to write
// there the shelf is still read; warn is told once.
func openShelf(dir string, warn func(error)) *shelf {
	if dir == "" {
		return nil
	}
	s := &shelf{dir: dir, warn: warn}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.complain(err)
		return s
	}
	s.prune(time.Now())
	return s
}

func (s *shelf) complain(err error) {
	s.once.Do(func() {
		if s.warn != nil {
			s.warn(fmt.Errorf("what is found out about sizes is not kept on disk: %w", err))
		}
	})
}

func (s *shelf) path(name key) string {
	return filepath.Join(s.dir, hex.EncodeToString(name[:16])+volumeSuffix)
}

// read returns the volume called name, or an empty one.
func (s *shelf) read(name key) volume {
	if s == nil {
		return volume{}
	}
	path := s.path(name)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > volumeMax {
		return volume{}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return volume{}
	}
	v, err := decodeVolume(b)
	if err != nil {
		return volume{} // cut short by a crash, or of another version: as if there were none
	}
	if now := time.Now(); now.Sub(info.ModTime()) > 24*time.Hour {
		_ = os.Chtimes(path, now, now) // it is in use
	}
	return v
}

// write replaces the volume called name.
func (s *shelf) write(name key, v volume) {
	if s == nil {
		return
	}
	if err := s.replace(s.path(name), encodeVolume(v)); err != nil {
		s.complain(err)
	}
}

func (s *shelf) replace(path string, b []byte) error {
	f, err := os.CreateTemp(s.dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// remove takes the volume called name away.
func (s *shelf) remove(name key) {
	if s == nil {
		return
	}
	if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.complain(err)
	}
}

// prune removes volumes that nobody has used for long, and what crashes have
// left.
func (s *shelf) prune(now time.Time) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.complain(err)
		return
	}
	var volumes []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if strings.HasSuffix(e.Name(), volumeSuffix) || strings.HasPrefix(e.Name(), ".new-") && now.Sub(info.ModTime()) > time.Hour {
			volumes = append(volumes, info)
		}
	}
	sort.Slice(volumes, func(i, j int) bool { return volumes[i].ModTime().After(volumes[j].ModTime()) })
	total := int64(0)
	for _, info := range volumes {
		if total+info.Size() > shelfSize || now.Sub(info.ModTime()) > shelfAge || strings.HasPrefix(info.Name(), ".new-") {
			_ = os.Remove(filepath.Join(s.dir, info.Name()))
			continue
		}
		total += info.Size()
	}
}

// A volume is the magic line, the number of lengths, the lengths, the number
// of sums, the sums, each with its key, all numbers in little endian; and the
// SHA-256 of all that.

const (
	lengthRecord = 32 + 4
	sumRecord    = 32 + 32
)

func encodeVolume(v volume) []byte {
	b := []byte(volumeMagic)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(v.lengths)))
	for k, n := range v.lengths {
		b = append(b, k[:]...)
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(v.sums)))
	for k, sum := range v.sums {
		b = append(b, k[:]...)
		b = append(b, sum[:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

var errVolume = errors.New("no whole volume of this version")

func decodeVolume(b []byte) (volume, error) {
	body := b[:max(len(b)-sha256.Size, 0)]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[len(body):]) || !bytes.HasPrefix(body, []byte(volumeMagic)) {
		return volume{}, errVolume
	}
	v := volume{lengths: map[key]uint32{}, sums: map[key][32]byte{}}
	rest, ok := records(body[len(volumeMagic):], lengthRecord, func(r []byte) {
		v.lengths[key(r[:32])] = binary.LittleEndian.Uint32(r[32:])
	})
	if !ok {
		return volume{}, errVolume
	}
	rest, ok = records(rest, sumRecord, func(r []byte) { v.sums[key(r[:32])] = [32]byte(r[32:]) })
	if !ok || len(rest) > 0 {
		return volume{}, errVolume
	}
	return v, nil
}

// records reads a number and as many records of a size.
func records(b []byte, size int, each func(record []byte)) (rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, false
	}
	n := int(binary.LittleEndian.Uint32(b))
	if b = b[4:]; n > len(b)/size {
		return nil, false
	}
	for i := range n {
		each(b[i*size : (i+1)*size])
	}
	return b[n*size:], true
}
