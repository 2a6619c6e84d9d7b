package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// statusOf reads what a mount says of itself.
func statusOf(t *testing.T, m *mount) (s struct {
	Images int        `json:"images"`
	Error  string     `json:"database_error"`
	Since  *time.Time `json:"database_error_since"`
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(run(t, "cat", m.path(".imgexportfs", "status.json"))), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The status is found by name and not listed; it tells when the database is
// lost, since when, and when it is back.
func TestStatusTellsOfTheDatabase(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir(), "--refresh", "50ms")
	if slices.Contains(listing(t, m.dir), ".imgexportfs") {
		t.Error("the status directory is listed")
	}
	before := statusOf(t, m)
	if before.Images == 0 || before.Error != "" || before.Since != nil {
		t.Errorf("status of a good site: %+v", before)
	}
	expectContains(t, "the metrics", run(t, "cat", m.path(".imgexportfs", "metrics")), "imgexportfs_database_failing 0\n")

	table := filepath.Join(site.Dir(), "etc/xcat/osimage.sqlite")
	must(t, os.Rename(table, table+".away"))
	eventually(t, "the loss shows", func() bool {
		run(t, "ls", m.dir) // looks at the database; what was known is still shown
		return statusOf(t, m).Error != ""
	})
	lost := statusOf(t, m)
	if lost.Images != before.Images || lost.Since == nil || time.Since(*lost.Since) > time.Minute {
		t.Errorf("status after the loss: %+v", lost)
	}
	expectContains(t, "the error", lost.Error, "osimage.sqlite")
	expectContains(t, "the log", run(t, "cat", m.path(".imgexportfs", "log")), "osimage.sqlite")
	expectContains(t, "the metrics", run(t, "cat", m.path(".imgexportfs", "metrics")), "imgexportfs_database_failing 1\n")

	must(t, os.Rename(table+".away", table))
	eventually(t, "the return shows", func() bool {
		run(t, "ls", m.dir)
		return statusOf(t, m).Error == ""
	})
}

// The files of the status have the size of what is read of them: grep takes the
// difference for a hole, and the file for binary.
func TestStatusFilesHaveTheSizeOfWhatIsRead(t *testing.T) {
	needTools(t, "python3")
	m := mountSite(t, smallSite(t, 1000).Dir())
	for _, name := range []string{"metrics", "status.json", "log"} {
		run(t, "python3", "-c", `
import os, sys
for i in range(100):
    fd = os.open(sys.argv[1], os.O_RDONLY)
    before = os.fstat(fd).st_size
    data = b""
    while piece := os.read(fd, 5000): data += piece
    if not before == len(data) == os.fstat(fd).st_size:
        sys.exit(f"{before} bytes, then {len(data)} are read, then {os.fstat(fd).st_size}")
    os.close(fd)`, m.path(".imgexportfs", name))
	}
}
