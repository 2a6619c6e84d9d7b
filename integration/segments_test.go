package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// segmentLimit is the most that one gzip member of a bundle may hold: 1 MiB of
// the archive, or 1 MiB of a statelite tree in the gzip of stored blocks that
// the tree is delivered in, which is a little more.
const segmentLimit = 1<<20 + 1<<10

// walkMembers visits the gzip members of a file by the lengths that their
// headers carry, without inflating any of them.
func walkMembers(f io.ReaderAt, size int64, visit func(offset, length int64) error) error {
	for off := int64(0); off < size; {
		length, err := memberLength(f, off)
		if err != nil {
			return fmt.Errorf("gzip member at %d: %w", off, err)
		}
		if off+length > size {
			return fmt.Errorf("gzip member at %d: %d bytes reach beyond the end at %d", off, length, size)
		}
		if err := visit(off, length); err != nil {
			return fmt.Errorf("gzip member at %d: %w", off, err)
		}
		off += length
	}
	return nil
}

// memberLength finds the length of a gzip member by its extra field "MZ", which
// holds that of the deflate data.
func memberLength(f io.ReaderAt, off int64) (int64, error) {
	fields, head, err := extraFields(f, off)
	if err != nil {
		return 0, err
	}
	if len(fields["MZ"]) != 4 {
		return 0, errors.New("no extra field MZ of 4 bytes")
	}
	return head + int64(binary.LittleEndian.Uint32([]byte(fields["MZ"]))) + 8, nil
}

// extraFields reads a gzip header (RFC 1952) and returns the subfields of its
// extra field, and the header's length.
func extraFields(f io.ReaderAt, off int64) (fields map[string]string, head int64, err error) {
	var fixed [12]byte
	if _, err := f.ReadAt(fixed[:], off); err != nil {
		return nil, 0, err
	}
	if !bytes.Equal(fixed[:4], []byte{0x1f, 0x8b, 8, 4}) { // only FEXTRA is set
		return nil, 0, fmt.Errorf("header % x", fixed[:4])
	}
	if mtime := binary.LittleEndian.Uint32(fixed[4:8]); mtime != 0 || fixed[9] != 255 {
		return nil, 0, fmt.Errorf("mtime %d and OS %d, want 0 and 255", mtime, fixed[9])
	}
	extra := make([]byte, binary.LittleEndian.Uint16(fixed[10:12]))
	if _, err := f.ReadAt(extra, off+12); err != nil {
		return nil, 0, err
	}
	head = 12 + int64(len(extra))
	fields = map[string]string{}
	for len(extra) > 0 {
		if len(extra) < 4 || len(extra) < 4+int(binary.LittleEndian.Uint16(extra[2:4])) {
			return nil, 0, fmt.Errorf("extra field ends in a subfield: % x", extra)
		}
		n := 4 + int(binary.LittleEndian.Uint16(extra[2:4]))
		fields[string(extra[:2])] = string(extra[4:n])
		extra = extra[n:]
	}
	return fields, head, nil
}

// inflatedSize inflates every member of a bundle by itself, on all cores, and
// adds up what they hold. visit, if any, sees the bytes of each.
func inflatedSize(f io.ReaderAt, size int64, visit func(offset int64, data []byte) error) (int64, error) {
	var total atomic.Int64
	var group sync.WaitGroup
	var failed error // guarded by once
	var once sync.Once
	slots := make(chan struct{}, 4)
	err := walkMembers(f, size, func(offset, length int64) error {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			data, err := inflate(io.NewSectionReader(f, offset, length))
			if err == nil && visit != nil {
				err = visit(offset, data)
			}
			if err != nil {
				once.Do(func() { failed = fmt.Errorf("gzip member at %d: %w", offset, err) })
			}
			total.Add(int64(len(data)))
		})
		return nil
	})
	group.Wait()
	return total.Load(), errors.Join(err, failed)
}

func inflate(r io.Reader) ([]byte, error) {
	zr, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(zr, segmentLimit+1))
	if err == nil && len(data) > segmentLimit {
		err = fmt.Errorf("holds more than %d bytes", segmentLimit)
	}
	return data, err
}

// copied is a copy of an image's bundle and its size.
func copied(t *testing.T, m *mount, image string) (f *os.File, size int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b.tgz")
	run(t, "cp", m.path(image+".tgz"), path)
	f, err := os.Open(path)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() }) // only read
	info, err := f.Stat()
	must(t, err)
	return f, info.Size()
}

// A bundle can be taken apart by the lengths in its headers alone, each
// member is one segment, and together they are the archive.
func TestBundleIsMadeOfSegments(t *testing.T) {
	t.Parallel()
	m := mountSite(t, bulkSite(t).Dir())
	for _, image := range bulkImages {
		t.Run(image, func(t *testing.T) {
			f, size := copied(t, m, image)
			got, err := inflatedSize(f, size, nil)
			must(t, err)
			var want int64
			_, err = fmt.Sscan(shell(t, "", `gzip -dc "$1" | wc -c`, f.Name()), &want)
			must(t, err)
			if got != want {
				t.Errorf("the segments hold %d bytes, gzip -dc gives %d", got, want)
			}
		})
	}
}

// The first header, and no other, says what plan the bundle was made from, in
// a field whose length depends on it (docs/format.md).
func TestFirstHeaderNamesThePlan(t *testing.T) {
	m := mountSite(t, bulkSite(t).Dir())
	plans := map[string]bool{}
	for _, image := range bulkImages {
		f, size := copied(t, m, image)
		must(t, walkMembers(f, size, func(offset, _ int64) error {
			fields, _, err := extraFields(f, offset)
			plan, there := fields["IX"]
			switch {
			case err != nil:
				return err
			case there != (offset == 0):
				return fmt.Errorf("subfield IX is there: %v", there)
			case !there:
				return nil
			case len(plan) < 33 || len(plan) > 33+1023 || plan[0] != 2:
				return fmt.Errorf("subfield IX is % x", plan)
			}
			padding := int(binary.LittleEndian.Uint16([]byte(plan[1:3]))) & 1023
			if plan[33:] != strings.Repeat("\x00", padding) {
				return fmt.Errorf("%d bytes of padding, want %d zeros", len(plan)-33, padding)
			}
			plans[plan[1:33]] = true
			return nil
		}))
	}
	if len(plans) != len(bulkImages) {
		t.Errorf("%d plans for %d images", len(plans), len(bulkImages))
	}
}
