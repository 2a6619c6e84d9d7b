package integration

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/faultfs"
	"imgexportfs/integration/xcatsite"
)

// What may befall the disk that a bundle is exported to. The error names the file, the
// exit code is the documented one, what was there stays, and nothing is left beside it.

// target is a directory on a disk that fails on command.
type target struct {
	*faultfs.FS
	point  string
	behind string // its files without the faults
	site   *xcatsite.Site
	want   []byte // the right bundle
}

// oldBundle is what lies at the target before an export.
const oldBundle = "old"

func newTarget(t *testing.T) *target {
	t.Helper()
	needFUSE(t)
	d := &target{site: smallSite(t, 3<<20), point: emptyDir(t, "target"), behind: emptyDir(t, "behind")}
	work := t.TempDir()
	expectCode(t, program(t, work, "export", "--root", d.site.Dir(), "bar"), 0)
	var err error
	d.want, err = os.ReadFile(filepath.Join(work, "bar.tgz"))
	must(t, err)
	d.FS = failingDisk(t, d.behind, d.point)
	return d
}

// failingDisk shows the files of one directory on another one.
func failingDisk(t *testing.T, behind, point string) *faultfs.FS {
	t.Helper()
	faults, err := faultfs.MountWritable(behind, point)
	must(t, err)
	t.Cleanup(func() {
		if err := faults.Close(); err != nil {
			t.Errorf("unmount %s: %v", point, err)
			_ = unix.Unmount(point, unix.MNT_DETACH)
		}
	})
	return faults
}

// export exports to the disk, where an old bundle is, and returns what is there then.
func (d *target) export(t *testing.T, script faultfs.Script) (r result, files []string, bundle string) {
	t.Helper()
	for _, name := range listing(t, d.behind) {
		must(t, os.Remove(filepath.Join(d.behind, name)))
	}
	must(t, os.WriteFile(filepath.Join(d.behind, "bar.tgz"), []byte(oldBundle), 0o600))
	d.Set(script)
	r = program(t, "/", "export", "--root", d.site.Dir(), "bar", d.point)
	files, err := readNames(d.behind)
	must(t, err)
	data, err := os.ReadFile(filepath.Join(d.behind, "bar.tgz"))
	must(t, err)
	return r, files, string(data)
}

// judge says what is wrong with an export to a disk that has failed, perhaps.
func (d *target) judge(r result, files []string, bundle string) string {
	isNew := bundle == string(d.want)
	extra := slices.DeleteFunc(slices.Clone(files), func(name string) bool { return name == "bar.tgz" })
	switch {
	case !isNew && bundle != oldBundle:
		return "half a bundle has the name"
	case r.code == 0 && !isNew:
		return "no bundle, but exit code 0"
	case r.code == 0 && len(extra) == 0:
		return ""
	case r.code != exitWrite:
		return "another exit code than 5"
	case !strings.Contains(r.stderr, d.point):
		return "the error names no file"
	case isNew && !strings.Contains(r.stderr, "is written, but may be lost"):
		return "a new bundle in spite of the error"
	case len(extra) > 0 && !(strings.Contains(r.stderr, "is left behind") && strings.Contains(r.stderr, extra[0])):
		return "a file is left that the error does not name"
	}
	return ""
}

// An export of which any call of the target's disk fails leaves the old bundle, or the new
// one. SOAK tries every call; else a few are tried, beginning with a random one.
func TestExportToADiskOfWhichAnyCallFails(t *testing.T) {
	t.Parallel()
	disk := newTarget(t)
	random := rand.New(rand.NewPCG(randomSeed(t), 0))
	for _, fault := range []struct {
		name string
		faultfs.Fault
		step int
	}{
		{"EIO", faultfs.Fault{Errno: syscall.EIO}, 5},
		{"ENOSPC", faultfs.Fault{Errno: syscall.ENOSPC}, 11},
		{"EROFS", faultfs.Fault{Errno: syscall.EROFS}, 11},
		{"EDQUOT", faultfs.Fault{Errno: syscall.EDQUOT}, 11},
		{"short", faultfs.Fault{Short: true}, 11},
	} {
		t.Run(fault.name, func(t *testing.T) {
			step := fault.step
			if soaking() {
				step = 1
			}
			tried, failed := 0, 0
			n := 1 + random.IntN(step)
			for ; ; n += step {
				r, files, bundle := disk.export(t, faultfs.At(n, fault.Fault))
				calls := disk.Calls()
				if len(calls) < n {
					break
				}
				tried++
				if r.code != 0 {
					failed++
				}
				if wrong := disk.judge(r, files, bundle); wrong != "" {
					t.Errorf("%v: %s (exit code %d, files %q): %s", calls[n-1], wrong, r.code, files, r.stderr)
				}
			}
			t.Logf("%d of about %d calls failed one by one: %d exports ended with an error", tried, n, failed)
		})
	}
	if r, files, bundle := disk.export(t, nil); r.code != 0 || bundle != string(disk.want) || len(files) != 1 {
		t.Errorf("without faults: exit code %d, files %q: %s", r.code, files, r.stderr)
	}
}

// A disk that fails for good, in one kind of call.
func TestExportToADiskThatFails(t *testing.T) {
	disk := newTarget(t)
	for name, c := range map[string]struct {
		op    faultfs.Op
		errno syscall.Errno
		says  string
	}{
		"full":                {faultfs.Write, syscall.ENOSPC, "no space left on device"},
		"broken":              {faultfs.Write, syscall.EIO, "input/output error"},
		"broken behind cache": {faultfs.Fsync, syscall.EIO, "input/output error"},
		"over quota":          {faultfs.Write, syscall.EDQUOT, "disk quota exceeded"},
		"read-only":           {faultfs.Create, syscall.EROFS, "read-only file system"},
		"no rename":           {faultfs.Rename, syscall.EIO, "input/output error"},
	} {
		t.Run(name, func(t *testing.T) {
			r, files, bundle := disk.export(t, faultfs.On(c.op, "/", faultfs.Fault{Errno: c.errno}))
			expectCode(t, r, exitWrite)
			expectContains(t, "the error", r.stderr, disk.point, c.says)
			if n := strings.Count(r.stderr, "\n"); n != 1 {
				t.Errorf("%d lines: %q", n, r.stderr)
			}
			expectLines(t, "files", files, []string{"bar.tgz"})
			expectText(t, "the bundle", bundle, oldBundle)
		})
	}
	t.Run("nothing can be removed", func(t *testing.T) {
		r, files, bundle := disk.export(t, func(c faultfs.Call) faultfs.Fault {
			if c.Op == faultfs.Write || c.Op == faultfs.Unlink {
				return faultfs.Fault{Errno: syscall.EIO}
			}
			return faultfs.Fault{}
		})
		expectCode(t, r, exitWrite)
		if len(files) != 2 {
			t.Fatalf("files %q, want the old bundle and what is left", files)
		}
		expectContains(t, "the error", r.stderr, "is left behind and may be removed", files[0])
		expectText(t, "the bundle", bundle, oldBundle)
	})
}

// An export of many images, and a dump, to a disk without room for all: what fits is
// written, the rest is an error, and nothing is half there.
func TestManyFilesToAFullDisk(t *testing.T) {
	needRoot(t)
	site, dir, tiny := smallSite(t, 3<<20), emptyDir(t, "small"), emptyDir(t, "tiny")
	for dir, size := range map[string]string{dir: "size=2m", tiny: "size=4k"} {
		must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, size))
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	}
	must(t, os.WriteFile(filepath.Join(dir, "bar.tgz"), []byte(oldBundle), 0o600))
	r := program(t, "/", "export", "--root", site.Dir(), "bar", "foo", dir+"/")
	expectCode(t, r, exitWrite)
	expectContains(t, "the error", r.stderr, filepath.Join(dir, "bar.tgz"), "no space left on device")
	expectText(t, "the bundle", run(t, "cat", filepath.Join(dir, "bar.tgz")), oldBundle)
	run(t, "gzip", "-t", filepath.Join(dir, "foo.tgz"))
	expectLines(t, "files", listing(t, dir), []string{"bar.tgz", "foo.tgz"})
	r = program(t, "/", "dump", "--root", site.Dir(), tiny)
	expectCode(t, r, exitWrite)
	expectContains(t, "the error of dump", r.stderr, tiny, "no space left on device")
	for _, file := range listing(t, tiny) {
		data, err := os.ReadFile(filepath.Join(tiny, file))
		must(t, err)
		if !strings.HasPrefix(string(data), "#") {
			t.Errorf("dump leaves %s with %q", file, data)
		}
	}
}
