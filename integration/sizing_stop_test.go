package integration

import (
	"os"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// When a source changes while the size of its bundle is being found, the first
// error ends the search: the caller gets it soon, the source is read no more,
// and the message is one that a person can read.
func TestSizingGivesUpAtTheFirstError(t *testing.T) {
	const parts, part = 512, 1 << 20
	site := newSite(t)
	must(t, site.AddImage("big", "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil))
	image := "/install/raw/sles15/s390x/z/a.img"
	must(t, site.WriteFile(image, 0o644, nil))
	appendParts(t, site.Path(image), xcatsite.Text("big", part), parts)
	m := mountSiteEnv(t, site.Dir(), []string{"GOMAXPROCS=2"}, "--level", "9", "--compression", "deflate", "--memory", "32MiB", "--refresh", "1h")

	before := m.bytesRead(t)
	ended := make(chan result, 1)
	go func() {
		ended <- process{args: []string{"stat", m.path("big.tgz")}, mayFail: true}.run(t)
	}()
	eventually(t, "the size is being found", func() bool { return m.bytesRead(t)-before > 16*part })
	changed, atChange := time.Now(), m.bytesRead(t)
	stop := growing(t, site.Path(image))
	r := <-ended
	took := time.Since(changed)
	if r.code == 0 {
		t.Errorf("stat succeeds although the file changes all the time: %s", r.stdout)
	}
	expectContains(t, "stat", r.stderr, "big.tgz")
	if took > 3*time.Second {
		t.Errorf("stat ends %v after the change", took)
	}
	read := func() int64 { return m.bytesRead(t) }
	expectResting(t, "what the server has read", read, 8*part, time.Second)
	if after := m.bytesRead(t) - atChange; after > parts*part/4 {
		t.Errorf("the server has read %d MiB after the change, of a file of %d MiB", after>>20, parts)
	}
	stop()
	for line := range strings.Lines(run(t, "cat", m.path(".imgexportfs", "log"))) {
		if len(line) > 2048 {
			t.Errorf("a line of the log has %d bytes: %s...", len(line), line[:300])
		}
	}
}

// appendParts writes a file of many equal parts.
func appendParts(t *testing.T, path string, part []byte, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	for range n {
		_, err := f.Write(part)
		must(t, err)
	}
	must(t, f.Close())
}
