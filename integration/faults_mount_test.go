package integration

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/faultfs"
	"imgexportfs/integration/xcatsite"
)

// faultPoint is one fault at one place of the way from the sources to a reader.
type faultPoint struct {
	op    faultfs.Op
	name  string
	fault faultfs.Fault
	late  bool // the bundle has a size already: the fault meets the reader
}

func (p faultPoint) String() string {
	when := "before stat"
	if p.late {
		when = "behind stat"
	}
	return fmt.Sprintf("%s %s %s", p.name, p.op, when)
}

// faultPoints are all combinations that mean something.
func faultPoints() (points []faultPoint) {
	all := []faultfs.Op{
		faultfs.Lookup, faultfs.Getattr, faultfs.Open, faultfs.Read, faultfs.Opendir, faultfs.Readdir,
		faultfs.Readlink, faultfs.Listxattr, faultfs.Lseek,
	}
	sizes, read, dir := []faultfs.Op{faultfs.Lookup, faultfs.Getattr}, []faultfs.Op{faultfs.Read}, []faultfs.Op{faultfs.Readdir}
	for _, f := range []struct {
		name  string
		fault faultfs.Fault
		ops   []faultfs.Op
	}{
		{"EIO", faultfs.Fault{Errno: syscall.EIO}, all},
		{"ESTALE", faultfs.Fault{Errno: syscall.ESTALE}, all},
		{"ENOSPC", faultfs.Fault{Errno: syscall.ENOSPC}, all},
		{"ENOENT", faultfs.Fault{Errno: syscall.ENOENT}, []faultfs.Op{faultfs.Open, faultfs.Read, faultfs.Readdir}},
		{"delay", faultfs.Fault{Delay: 20 * time.Millisecond}, []faultfs.Op{faultfs.Open, faultfs.Read, faultfs.Readdir}},
		{"hang", faultfs.Fault{Hang: true}, []faultfs.Op{faultfs.Open, faultfs.Read, faultfs.Readdir}},
		{"short", faultfs.Fault{Short: true}, read},
		{"flip", faultfs.Fault{Flip: true}, read},
		{"grown", faultfs.Fault{Grow: 1}, sizes},
		{"shrunk", faultfs.Fault{Grow: -1}, sizes},
		{"reversed", faultfs.Fault{Reverse: true}, dir},
	} {
		for _, op := range f.ops {
			points = append(points, faultPoint{op, f.name, f.fault, false}, faultPoint{op, f.name, f.fault, true})
		}
	}
	return points
}

// touch makes every file of the images a new version of itself with the same bytes
// and modification time, so that nothing that is known of it counts.
func (s *faultySite) touch(t *testing.T) {
	t.Helper()
	must(t, filepath.WalkDir(s.behind, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return os.Chtimes(path, xcatsite.Epoch, xcatsite.Epoch)
	}))
}

// Whatever a source does, and wherever, a copy is right or fails with an error, and
// the log names image and file. When the fault is gone, all is right again.
func TestCopyIsRightOrFailsWhateverASourceDoes(t *testing.T) {
	t.Parallel()
	site := misbehaving(t, mixedSite(t))
	m := mountSite(t, site.Dir(), "--refresh", "20ms")
	bundle, copied := m.path("mixed.tgz"), filepath.Join(t.TempDir(), "copy")
	want := run(t, "sha256sum", "-b", bundle)
	points := faultPoints()
	random := rand.New(rand.NewPCG(randomSeed(t), 0))
	random.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	if !soaking() {
		points = points[:10]
	}
	failed := 0
	for _, p := range points {
		began := time.Now()
		site.touch(t)
		time.Sleep(30 * time.Millisecond)
		if p.late {
			run(t, "stat", bundle)
		}
		logged := len(m.wholeLog())
		site.Set(faultfs.On(p.op, "/", p.fault))
		if p.fault.Hang {
			time.AfterFunc(300*time.Millisecond, func() { site.Set(nil) })
		}
		script := `stat "$1" && cat "$1" > "$2" && gzip -t < "$2" && sha256sum -b < "$2"`
		r := process{args: []string{"bash", "-c", script, "bash", bundle, copied}, mayFail: true}.run(t)
		site.Set(nil)
		names := func() bool { // a moment later, for the log comes through a pipe
			said := m.wholeLog()[logged:]
			return strings.Contains(said, "mixed") && strings.Contains(said, "/install/")
		}
		switch {
		case r.code == 0 && p.fault.Flip: // nobody can tell
		case r.code == 0 && !strings.Contains(r.stdout, strings.Fields(want)[0]):
			t.Errorf("%v: a copy with other bytes, and no error", p)
		case r.code == 0:
		case strings.Contains(r.stderr, "gzip"):
			t.Errorf("%v: a copy that is no gzip, and no error: %s", p, r.stderr)
		case strings.Contains(r.stderr, "No such file"):
			t.Errorf("%v: the error lets a mirror delete its copy: %s", p, r.stderr)
		default:
			expectEventually(t, 10*time.Second, fmt.Sprintf("%v: the log names image and file; reader: %s", p, r.stderr), names)
		}
		if r.code != 0 {
			failed++
		}
		if p.fault.Flip {
			site.touch(t)
		}
		expectEventually(t, 10*time.Second, p.String()+": right again", func() bool {
			r := process{args: []string{"sha256sum", "-b", bundle}, mayFail: true}.run(t)
			return r.code == 0 && r.stdout == want
		})
		t.Logf("%v: exit code %d after %v, all %v", p, r.code, r.took.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	}
	t.Logf("%d of %d points gave an error", failed, len(points))
}
