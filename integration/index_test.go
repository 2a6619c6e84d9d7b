package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// indexMagic starts every index file of the cache directory. The number of
// lengths follows, then each length behind the key of its segment, and the
// file's own hash is at its end.
const (
	indexMagic  = "imgexportfs index 1\n"
	indexRecord = sha256.Size + 4 // a segment's key and length
)

// indexKeys says where in an index file the length of each segment is.
func indexKeys(t *testing.T, data []byte) map[[sha256.Size]byte]int {
	t.Helper()
	at := len(indexMagic) + 4
	if !bytes.HasPrefix(data, []byte(indexMagic)) || len(data) < at+indexRecord+sha256.Size {
		t.Fatalf("an index file is not in the format that this test knows: %d bytes, %q", len(data), data[:min(len(data), 40)])
	}
	places := map[[sha256.Size]byte]int{}
	for range binary.LittleEndian.Uint32(data[len(indexMagic):]) {
		places[[sha256.Size]byte(data[at:])] = at + sha256.Size
		at += indexRecord
	}
	return places
}

// falsify changes the length of a segment in an index file and makes the
// file's hash right again, so that nothing shows before the segment is read.
func falsify(t *testing.T, path string, key [sha256.Size]byte, by int) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	place, found := indexKeys(t, data)[key]
	if !found {
		t.Fatalf("%s has no segment %x", path, key)
	}
	length := binary.LittleEndian.Uint32(data[place:])
	binary.LittleEndian.PutUint32(data[place:], uint32(max(1, int(length)+by)))
	body := data[:len(data)-sha256.Size]
	sum := sha256.Sum256(body)
	must(t, os.WriteFile(path, append(body, sum[:]...), 0o600))
}

// indexFiles are the index files in a cache directory, one for each image.
func indexFiles(t *testing.T, cache string, images int) []string {
	t.Helper()
	files, err := filepath.Glob(cache + "/*.index")
	must(t, err)
	if len(files) != images {
		t.Fatalf("files in the cache: %q, want one for each of %d images", files, images)
	}
	return files
}

// wrongBy is how much a length is wrong: too small, so that a block has more
// bytes than there is room for, or too large.
var wrongBy = []int{-7, +7, -1 << 20, +1 << 20}

// A cache that is whole but wrong gives an error to those who read through the
// wrong segment, many at once, never wrong bytes; later readers get the right
// ones.
func TestWrongEntriesNeverGiveWrongBytes(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	cache := t.TempDir()
	filled := mountSite(t, site.Dir(), "--cache-dir", cache)
	want := checksums(t, filled.dir)
	filled.stop(t)
	for _, by := range wrongBy {
		t.Run(fmt.Sprintf("%+d", by), func(t *testing.T) {
			damaged := filepath.Join(t.TempDir(), "cache")
			run(t, "cp", "-a", cache, damaged)
			for _, path := range indexFiles(t, damaged, len(bulkImages)) {
				data, err := os.ReadFile(path)
				must(t, err)
				for key := range indexKeys(t, data) {
					falsify(t, path, key, by)
					break // any one of them
				}
			}
			m := mountSite(t, site.Dir(), "--cache-dir", damaged)
			failures := 0
			for line := range strings.Lines(readAtOnce(t, m, 3)) {
				switch sum, name, _ := strings.Cut(strings.TrimSpace(line), "  "); {
				case sum == "failed":
					failures++
				case !strings.Contains(want, sum+"  ./"+name):
					t.Errorf("a reader of %s got the sum %s, want one of\n%s", name, sum, want)
				}
			}
			eventually(t, "every bundle is right", func() bool { return rightOrFailed(t, m, want, &failures) })
			if failures == 0 {
				t.Error("the wrong lengths were not used: this test shows nothing")
			}
			m.stop(t)
			again := mountSite(t, site.Dir(), "--cache-dir", damaged)
			expectText(t, "checksums from the repaired cache", checksums(t, again.dir), want)
		})
	}
}

// readAtOnce reads every bundle with some readers at the same time. A line for
// each reader has the sum of what it got, or "failed", and the bundle's name.
func readAtOnce(t *testing.T, m *mount, readers int) string {
	t.Helper()
	return shell(t, m.dir, `
		for bundle in *.tgz; do
			for ((i = 0; i < $1; i++)); do
				{ sha256sum "$bundle" 2> /dev/null || echo "failed  $bundle"; } & jobs="${jobs-} $!"
			done
		done
		for job in $jobs; do wait $job; done`, strconv.Itoa(readers))
}

// rightOrFailed reads every bundle of a list of checksums, counts the reads that
// fail, and reports whether none did. A read that gives other bytes fails the
// test.
func rightOrFailed(t *testing.T, m *mount, want string, failures *int) bool {
	t.Helper()
	before := *failures
	for line := range strings.Lines(want) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		r := process{args: []string{"sha256sum", filepath.Join(m.dir, name)}, mayFail: true}.run(t)
		switch {
		case r.code != 0:
			*failures++
		case !strings.HasPrefix(r.stdout, sum):
			t.Fatalf("%s has the sum %s, want %s", name, r.stdout, sum)
		}
	}
	return *failures == before
}

// A block may be made for one bundle and read for another one, which believes a
// wrong length of it: whoever serves the block must see that it does not fit.
func TestWrongLengthOfASharedBlockNeverGivesWrongBytes(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	images := []string{"one", "two"}
	for _, image := range images { // both hold the same file
		must(t, site.AddImage(image, "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil))
	}
	must(t, site.WriteFile("/install/raw/sles15/s390x/z/a.img", 0o644, xcatsite.Text("shared", 16<<20)))
	cache := t.TempDir()
	filled := mountSite(t, site.Dir(), "--cache-dir", cache)
	want := checksums(t, filled.dir)
	filled.stop(t)
	for _, by := range wrongBy {
		t.Run(fmt.Sprintf("%+d", by), func(t *testing.T) {
			damaged := filepath.Join(t.TempDir(), "cache")
			run(t, "cp", "-a", cache, damaged)
			files := indexFiles(t, damaged, len(images))
			key := sharedKey(t, files)
			for _, path := range files {
				falsify(t, path, key, by)
			}
			m := mountSite(t, site.Dir(), "--cache-dir", damaged, "--refresh", "100ms")
			reader := hold(t, m.path("two.tgz"), 0) // its offsets are decided, and nothing is read
			one, two := strings.Split(want, "\n")[0]+"\n", strings.Split(want, "\n")[1]+"\n"
			failures := 0
			eventually(t, "the first bundle is right", func() bool { return rightOrFailed(t, m, one, &failures) })
			if hash, errno := reader.rest(); errno == 0 && !strings.HasPrefix(two, hash) {
				t.Errorf("the open reader of the second bundle got the sum %s and no error, want %s", hash, two)
			}
			eventually(t, "the second bundle is right", func() bool { return rightOrFailed(t, m, two, &failures) })
			if log := m.wholeLog(); strings.Contains(log, "panic") || strings.Contains(log, "goroutine ") {
				t.Errorf("the server has panicked: %s", clip(log))
			}
		})
	}
}

// sharedKey is the key of a segment that all index files have, one behind the
// first bytes of the bundles.
func sharedKey(t *testing.T, files []string) (key [sha256.Size]byte) {
	t.Helper()
	count := map[[sha256.Size]byte]int{}
	for _, path := range files {
		data, err := os.ReadFile(path)
		must(t, err)
		for k := range indexKeys(t, data) {
			if count[k]++; count[k] == len(files) {
				key = k
			}
		}
	}
	if key == [sha256.Size]byte{} {
		t.Fatal("the bundles share no segment")
	}
	return key
}

// Without permission to write, what is in the cache is used, one line says
// that nothing is added, and everything works.
func TestCacheThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	full := t.TempDir()
	filled := mountSite(t, site.Dir(), "--cache-dir", full)
	want := checksums(t, filled.dir)
	shell(t, filled.dir, "cat ./*.sha256 > /dev/null") // what reading has not found out is found out now
	filled.stop(t)
	before := listing(t, full)
	for _, c := range []struct {
		name, dir string
		warnings  int
	}{
		{"cannot be made", "/proc/imgexportfs/cache", 1},
		{"read-only and empty", readOnly(t, t.TempDir()), 1},
		{"read-only and full", readOnly(t, full), 0}, // there is nothing to add
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mountSite(t, site.Dir(), "--cache-dir", c.dir)
			expectText(t, "checksums", checksums(t, m.dir), want)
			m.stop(t)
			if n := strings.Count(m.wholeLog(), "not kept on disk"); n != c.warnings {
				t.Errorf("%d warnings, want %d: %s", n, c.warnings, m.log)
			}
		})
	}
	expectLines(t, "files in the full cache", listing(t, full), before)
}

// readOnly returns another name of dir below which even root cannot write.
func readOnly(t *testing.T, dir string) string {
	t.Helper()
	name := t.TempDir()
	run(t, "mount", "--bind", dir, name)
	t.Cleanup(func() { run(t, "umount", name) })
	run(t, "mount", "-o", "remount,ro,bind", name)
	return name
}
