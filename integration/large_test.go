package integration

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"imgexportfs/integration/xcatsite"
)

// hugeSize is more than the 8 GiB that the size field of a plain tar header
// has room for.
const hugeSize = 9 << 30

// A file of 9 GiB: its size is known in seconds, right, and in the header;
// its end is read without what comes before it.
func TestHugeSparseFile(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads 9 GiB")
	}
	site := newSite(t)
	must(t, site.AddImage("huge", "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil))
	image := "/install/raw/sles15/s390x/z/disk.img"
	must(t, os.MkdirAll(filepath.Dir(site.Path(image)), 0o755))
	must(t, makeSparse(site.Path(image), hugeSize))
	appendAt(t, site.Path(image), hugeSize-7, "the end")
	cache := t.TempDir()
	m := mountSite(t, site.Dir(), "--cache-dir", cache)

	started := time.Now()
	size := statOne(t, m.path("huge.tgz")).size
	first := time.Since(started)
	started = time.Now()
	tail := shell(t, "", `tail -c 4096 "$1" | wc -c`, m.path("huge.tgz"))
	last := time.Since(started)
	t.Logf("first stat: %v; last bytes: %v; size %d", first, last, size)
	if first > 60*time.Second {
		t.Errorf("the first stat takes %v", first)
	}
	if last > time.Second || strings.TrimSpace(tail) != "4096" {
		t.Errorf("reading %s bytes at the end takes %v, want 4096 in less than a second", tail, last)
	}

	path := filepath.Join(t.TempDir(), "huge.tgz")
	process{args: []string{"cp", "--sparse=never", m.path("huge.tgz"), path}, limit: 5 * time.Minute}.run(t)
	f, err := os.Open(path)
	must(t, err)
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err != nil || info.Size() != size {
		t.Fatalf("the copy has %d bytes (%v), stat said %d", info.Size(), err, size)
	}
	holdHugeArchive(t, f, size)
	m.stop(t)

	again := mountSite(t, site.Dir(), "--cache-dir", cache)
	started = time.Now()
	if got := statOne(t, again.path("huge.tgz")).size; got != size {
		t.Errorf("the size is remembered as %d, was %d", got, size)
	}
	if took := time.Since(started); took > 3*time.Second {
		t.Errorf("the first stat takes %v although the size is remembered", took)
	}
}

func appendAt(t *testing.T, path string, off int64, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt([]byte(text), off)
	must(t, err)
	must(t, f.Close())
	must(t, os.Chtimes(path, xcatsite.Epoch, xcatsite.Epoch))
}

// holdHugeArchive inflates all of it, segment by segment, and looks at the
// header, the length, and that the only bytes that are not zero are at the end.
func holdHugeArchive(t *testing.T, f io.ReaderAt, size int64) {
	t.Helper()
	zr, err := gzip.NewReader(io.NewSectionReader(f, 0, size))
	must(t, err)
	tr := tar.NewReader(zr)
	var huge *tar.Header
	for huge == nil {
		h, err := tr.Next()
		must(t, err)
		if strings.HasSuffix(h.Name, "/disk.img") {
			huge = h
		}
	}
	if huge.Size != hugeSize {
		t.Errorf("the header says %d bytes, want %d", huge.Size, int64(hugeSize))
	}
	var mu sync.Mutex
	var ends int
	total, err := inflatedSize(f, size, func(offset int64, data []byte) error {
		if !bytes.Contains(data, []byte("the end")) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		ends++
		if offset < size/2 {
			return fmt.Errorf("the end of the file is at %d of %d", offset, size)
		}
		return nil
	})
	must(t, err)
	if total < hugeSize+5*512 || total > hugeSize+1<<20 || ends != 1 {
		t.Errorf("the archive has %d bytes and %d ends of the file", total, ends)
	}
}

// A root tree of 100,000 entries: the bundle is right, and neither a listing
// nor a first look takes long.
func TestTreeOfAHundredThousandEntries(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes 100,000 files")
	}
	needTools(t, "cpio")
	site := newSite(t)
	must(t, site.AddStatelite("big", []byte("kernel"), []byte("ramdisk")))
	root := site.Path(site.TreeDir("big"))
	const dirs, perDir = 1000, 99 // and the directories themselves
	for d := range dirs {
		makeCrowd(t, fmt.Sprintf("%s/d%03d", root, d), d, perDir)
	}
	m := mountSite(t, site.Dir())
	started := time.Now()
	names := listing(t, m.dir)
	t.Logf("listing: %v", time.Since(started))
	expectLines(t, "names", names, []string{"big", "big.tgz", "big.tgz.sha256"})
	started = time.Now()
	size := statOne(t, m.path("big.tgz")).size
	first := time.Since(started)
	t.Logf("first stat: %v, %d bytes", first, size)
	if first > 30*time.Second {
		t.Errorf("the first stat takes %v", first)
	}
	work := t.TempDir()
	out := shell(t, work, `
		cp "$1" big.tgz
		tar -xzf big.tgz
		zcat big/rootimgtree.gz | cpio --quiet -it | wc -l
		zcat big/rootimgtree.gz | cpio --quiet -idum
		diff -r --no-dereference "$2" rootimg`, m.path("big.tgz"), root)
	if got, want := strings.TrimSpace(out), strconv.Itoa(1+dirs+dirs*perDir); got != want {
		t.Errorf("cpio lists %s entries, want %s", got, want)
	}
	if got := statOne(t, filepath.Join(work, "big.tgz")).size; got != size {
		t.Errorf("the copy has %d bytes, stat said %d", got, size)
	}
}

// makeCrowd fills a directory with n files and links.
func makeCrowd(t *testing.T, dir string, seed, n int) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	for i := range n {
		path := fmt.Sprintf("%s/entry-%02d", dir, i)
		if i%10 == 9 {
			must(t, os.Symlink("entry-00", path))
			continue
		}
		must(t, os.WriteFile(path, fmt.Appendf(nil, "%d %d %s", seed, i, strings.Repeat("x", (seed*i)%200)), 0o644))
	}
}

// A file that newc cannot carry is named in a refusal, and no bundle of less
// is offered.
func TestTreeWithAFileOfFourGiBIsRefused(t *testing.T) {
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	must(t, makeSparse(site.Path(site.TreeDir("lite")+"/core"), 4<<30))
	m := mountSite(t, site.Dir())
	expectLines(t, "files", typesOf(t, m.dir, "lite", "lite.tgz", "lite.errors"), []string{"lite directory", "lite.errors regular file"})
	expectContains(t, "lite.errors", run(t, "cat", m.path("lite.errors")), "Error: ", "rootimg/core", "4")
	work := t.TempDir()
	expectCode(t, program(t, work, "export", "--root", site.Dir(), "lite"), 1)
	expectLines(t, "files of a refused export", listing(t, work), nil)
}
