package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// volumeMagic starts every file of the cache directory; lengths of segments
// follow, and the file's own hash at its end.
const volumeMagic = "imgexportfs index 1\n"

// falsify changes a length in a file of the cache directory and makes its hash
// right again, so that nothing shows before the segment is read.
func falsify(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	const record = sha256.Size + 4 // a segment's name and length
	at := len(volumeMagic) + 4
	if !bytes.HasPrefix(data, []byte(volumeMagic)) || len(data) < at+record+sha256.Size {
		t.Fatalf("%s is not in the format that this test knows: %d bytes, %q", path, len(data), data[:min(len(data), 40)])
	}
	length := data[at+sha256.Size : at+record]
	binary.LittleEndian.PutUint32(length, binary.LittleEndian.Uint32(length)+7)
	body := data[:len(data)-sha256.Size]
	sum := sha256.Sum256(body)
	must(t, os.WriteFile(path, append(body, sum[:]...), 0o600))
}

// A cache that is whole but wrong gives a reader an error, never wrong bytes,
// and the next one the right ones.
func TestWrongEntriesNeverGiveWrongBytes(t *testing.T) {
	site := bulkSite(t)
	cache := t.TempDir()
	filled := mountSite(t, site.Dir(), "--cache-dir", cache)
	want := checksums(t, filled.dir)
	filled.stop(t)
	volumes, err := filepath.Glob(cache + "/*.index")
	must(t, err)
	if len(volumes) != len(bulkImages) {
		t.Fatalf("files in the cache: %q, want one per image", volumes)
	}
	for _, path := range volumes {
		falsify(t, path)
	}
	m := mountSite(t, site.Dir(), "--cache-dir", cache)
	failures := 0
	eventually(t, "every bundle is right", func() bool {
		wrong := false
		for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
			sum, name, _ := strings.Cut(line, "  ")
			r := process{args: []string{"sha256sum", filepath.Join(m.dir, name)}, mayFail: true}.run(t)
			switch {
			case r.code != 0:
				failures++
				wrong = true
			case !strings.HasPrefix(r.stdout, sum):
				t.Fatalf("%s has the sum %s, want %s", name, r.stdout, sum)
			}
		}
		return !wrong
	})
	if failures == 0 {
		t.Error("the wrong lengths were not used: this test shows nothing")
	}
	m.stop(t)
	again := mountSite(t, site.Dir(), "--cache-dir", cache)
	expectText(t, "checksums from the repaired cache", checksums(t, again.dir), want)
}

// Without permission to write, what is in the cache is used, one line says
// that nothing is added, and everything works.
func TestCacheThatCannotBeWritten(t *testing.T) {
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
