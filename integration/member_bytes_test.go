package integration

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// Reads of a member at the same time do not get each other's bytes.
func TestMemberReadsBesideEachOtherGetTheirOwnBytes(t *testing.T) {
	const size, piece, readers, rounds = 16 << 20, 1 << 20, 16, 20
	site := newSite(t)
	data := xcatsite.Noise("rootimg", size)
	must(t, site.AddStateless("bar", xcatsite.Stateless{Kernel: []byte("kernel"), Ramdisk: []byte("ramdisk"), Rootimg: data}))
	m := mountSite(t, site.Dir())
	// O_DIRECT sends every read to the server.
	f, err := os.OpenFile(m.path("bar", "rootimg.cpio.gz"), os.O_RDONLY|syscall.O_DIRECT, 0)
	must(t, err)
	defer func() { _ = f.Close() }()
	var all sync.WaitGroup
	wrong := make(chan error, readers)
	for r := range readers {
		all.Go(func() {
			buf, err := unix.Mmap(-1, 0, piece, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE) // aligned
			if err != nil {
				wrong <- err
				return
			}
			defer func() { _ = unix.Munmap(buf) }()
			for n := range rounds {
				off := (r + n*5) % (size / piece) * piece
				if _, err := f.ReadAt(buf, int64(off)); err != nil && err != io.EOF {
					wrong <- err
					return
				}
				if !bytes.Equal(buf, data[off:off+piece]) {
					wrong <- fmt.Errorf("other bytes at %d", off)
					return
				}
			}
		})
	}
	all.Wait()
	close(wrong)
	for err := range wrong {
		t.Error(err)
	}
}
