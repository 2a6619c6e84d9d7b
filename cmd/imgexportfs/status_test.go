package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"imgexportfs/fs"
)

func TestStatusIsOneAlignedScreen(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	since, retry := now.Add(-3*time.Minute), now.Add(12*time.Second)
	names := make([]string, 20)
	for i := range names {
		names[i] = fmt.Sprintf("image%02d", i)
	}
	report := fs.Report{
		Version: "1.2", PID: 77, Mounted: now.Add(-time.Hour), Database: "SQLite:/etc/xcat\x1b[2J", Root: "/",
		Images: 30, Refused: names, Problems: []string{"odd"}, Unknown: 2,
		Read: now.Add(-2 * time.Hour), Looked: now.Add(-time.Second), Error: "no such\nfile", Since: &since, Retry: &retry,
		Memory: fs.Memory{Budget: 256 << 20, Used: 1 << 20, Resident: 30 << 20}, Cache: fs.Cache{Directory: "/c", Limit: 5 << 30},
		Readers: 2, Sizing: []fs.Sizing{{Bundle: "a", Done: 1, Total: 4, Left: 90}, {Bundle: "b"}}, Queued: 3,
	}
	var b strings.Builder
	all := []mountStatus{newMountStatus("/mnt", report, nil), newMountStatus("/dead", fs.Report{}, fs.ErrGone)}
	if err := printStatus(&b, all, now); err != nil {
		t.Fatal(err)
	}
	const want = `/mnt: database failing
  program   1.2, process 77, mounted 1 h 0 min ago
  site      SQLite:/etc/xcat\x1b[2J, root /
  database  no such\nfile
            for 3 min 0 s; the next look is in 12 s
  rows      read 2 h 0 min ago, checked 1 s ago
  images    30: 7 good, 1 with problems, 20 refused, 2 not looked at yet
  refused   image00, image01, image02, image03, image04, image05, image06, image07 and 12 more; see their .errors files
  problems  odd; see their .errors files
  sizing    a: 25% of 4B, about 1 min 30 s left
            b: 0% of 0B
            3 bundles to come
  readers   2
  memory    1MiB of 256MiB for segments, 30MiB in all
  cache     0B of 5GiB in /c

/dead: dead
  error     its process is gone
  next      imgexportfs umount /dead, then mount again
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestStatusCodeIsThatOfTheWorstMount(t *testing.T) {
	serving := newMountStatus("/a", fs.Report{}, nil)
	failing := newMountStatus("/b", fs.Report{Error: "lost"}, nil)
	for _, c := range []struct {
		all  []mountStatus
		want int
	}{
		{[]mountStatus{serving}, 0},
		{[]mountStatus{serving, failing}, 1},
		{[]mountStatus{failing, newMountStatus("/c", fs.Report{}, fs.ErrNoAnswer), serving}, 4},
		{[]mountStatus{serving, newMountStatus("/d", fs.Report{}, errors.New("permission denied"))}, 4},
	} {
		if code, _ := exitStatus(t.Context(), statusCode(c.all)); code != c.want {
			t.Errorf("%+v: code %d, want %d", c.all, code, c.want)
		}
	}
}
