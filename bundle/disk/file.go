package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle/blocks"
)

// A file is a header and the bytes of a segment. The header is the magic, the
// CRC-32C of all that follows it, the segment's length, both in little endian, and
// the segment's key.
const (
	magic      = "ixseg 1\n"
	headerSize = len(magic) + 4 + 4 + len(blocks.Key{})
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header returns the header of a file.
func header(k blocks.Key, data []byte) []byte {
	h := make([]byte, 0, headerSize)
	h = append(h, magic...)
	h = append(h, 0, 0, 0, 0)
	h = binary.LittleEndian.AppendUint32(h, uint32(len(data)))
	h = append(h, k[:]...)
	sum := crc32.Update(crc32.Checksum(h[len(magic)+4:], castagnoli), castagnoli, data)
	binary.LittleEndian.PutUint32(h[len(magic):], sum)
	return h
}

var errFile = errors.New("not a whole segment of this version")

// openFile opens the file of a segment and reads its header. Anything but a
// regular file of the right size is refused unread.
func openFile(path string) (f *os.File, head []byte, length int64, err error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, 0, err
	}
	f = os.NewFile(uintptr(fd), path)
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, 0, err
	}
	length = info.Size() - int64(headerSize)
	if !info.Mode().IsRegular() || length < 0 {
		return nil, nil, 0, errFile
	}
	head = make([]byte, headerSize)
	if _, err := io.ReadFull(f, head); err != nil {
		return nil, nil, 0, err
	}
	if string(head[:len(magic)]) != magic || int64(binary.LittleEndian.Uint32(head[len(magic)+4:])) != length {
		return nil, nil, 0, errFile
	}
	if age := time.Since(info.ModTime()); age > touchAfter || age < 0 {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // it is in use
	}
	return f, head, length, nil
}

// read returns a segment of at most so many bytes.
func (c *Cache) read(k blocks.Key, most int64) (data []byte, err error) {
	f, head, length, err := openFile(c.path(k))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if length > most {
		return nil, errFile
	}
	data = c.o.Get(length)
	defer func() {
		if err != nil {
			c.o.Put(data)
			data = nil
		}
	}()
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	if string(head) != string(header(k, data)) {
		return nil, errFile
	}
	return data, nil
}

// tempPattern is the name of a file that is being written.
const tempPattern = ".new-*"

// writeFile puts a segment at path. It does not wait for the disk: a file that a
// crash has cut fails its checksum.
func writeFile(path string, k blocks.Key, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), tempPattern)
	if errors.Is(err, os.ErrNotExist) {
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		f, err = os.CreateTemp(filepath.Dir(path), tempPattern)
	}
	if err != nil {
		return err
	}
	_, err1 := f.Write(header(k, data))
	_, err2 := f.Write(data)
	if err := errors.Join(err1, err2, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return nil
}

// checkPrivate returns an error unless dir is a directory of this user that
// nobody else may write.
func checkPrivate(dir string) error {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return &os.PathError{Op: "stat", Path: dir, Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("%s is not a directory", dir)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to user %d and not to user %d, as whom this runs: choose another --cache-dir", dir, st.Uid, os.Geteuid())
	case st.Mode&0o022 != 0:
		return fmt.Errorf("%s may be written by others (mode %#o): run chmod go-w on it, or choose another --cache-dir", dir, st.Mode&0o7777)
	}
	return nil
}
