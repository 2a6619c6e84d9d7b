package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// A file of more than 1 TiB: stat needs no reading, what is at offsets beyond 2^40 is read
// without what is before, from the member and from a stored bundle.
func TestSparseFileOfMoreThanATebibyte(t *testing.T) {
	t.Parallel()
	const size, mark = 1<<40 + 1<<30, 1<<40 + 12345
	site := newSite(t)
	must(t, site.AddImage("huge", "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil))
	image := site.Path("/install/raw/sles15/s390x/z/disk.img")
	must(t, os.MkdirAll(filepath.Dir(image), 0o755))
	must(t, makeSparse(image, size))
	appendAt(t, image, mark, "MARK")
	appendAt(t, image, size-7, "the end")
	for _, compression := range []string{"store", "deflate"} {
		t.Run(compression, func(t *testing.T) {
			if compression == "deflate" && !soaking() {
				t.Skip("make soak: it finds the size of a million segments")
			}
			// To plan a million segments takes seconds, at every look after the refresh.
			m := mountSite(t, site.Dir(), "--compression", compression, "--memory", "64MiB", "--refresh", "1h")
			started := time.Now()
			r := process{args: []string{"stat", "-c", "%s", m.path("huge.tgz")}, limit: 10 * time.Minute}.run(t)
			first := time.Since(started)
			expectText(t, "size of the member", run(t, "stat", "-c", "%s", m.path("huge/disk.img")), fmt.Sprintln(size))
			const part = `dd if="$1" bs=1M iflag=skip_bytes,count_bytes skip=$2 count=$3 status=none`
			expectText(t, "bytes beyond 2^40", shell(t, "", part, m.path("huge/disk.img"), fmt.Sprint(mark-1), "6")[1:5], "MARK")
			expectText(t, "last bytes", shell(t, "", `tail -c 7 "$1"`, m.path("huge/disk.img")), "the end")
			tail := shell(t, "", `tail -c 1048576 "$1" | wc -c`, m.path("huge.tgz"))
			expectText(t, "bytes at the end of the bundle", strings.TrimSpace(tail), "1048576")
			if compression == "store" {
				total, err := strconv.ParseFloat(strings.TrimSpace(r.stdout), 64)
				must(t, err)
				near := int64(mark*total/size) - 4<<20 // every segment has a header
				found := shell(t, "", part+` | tr -d '\0' | grep -c -a MARK`, m.path("huge.tgz"), fmt.Sprint(near), fmt.Sprint(8<<20))
				expectText(t, "lines with the mark in the bundle", found, "1\n")
			}
			t.Logf("size %s, first stat %v, at most %d MiB resident", strings.TrimSpace(r.stdout), first, m.peakMemory(t)>>20)
			if most := int64(1 << 30); m.peakMemory(t) > most {
				t.Errorf("the server has had %d MiB resident, want at most %d", m.peakMemory(t)>>20, most>>20)
			}
		})
	}
}
