package integration

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/faultfs"
)

// faultyExport is one export of an image from a faultySite.
type faultyExport struct {
	result
	left   []string // names in the directory of the destination
	bundle []byte
}

func (s *faultySite) export(t *testing.T) faultyExport {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	must(t, err)
	defer func() { _ = os.RemoveAll(dir) }()
	e := faultyExport{result: program(t, dir, "export", "mixed", "--root", s.Dir())}
	e.left, err = readNames(dir)
	must(t, err)
	if len(e.left) > 0 {
		e.bundle, err = os.ReadFile(filepath.Join(dir, e.left[0]))
		must(t, err)
	}
	return e
}

// judge says what is wrong with an export whose fault may show as an error only.
func (e faultyExport) judge(want faultyExport) string {
	said := strings.ReplaceAll(e.stderr, want.stderr, "")
	switch {
	case len(e.left) > 1:
		return "leaves " + strings.Join(e.left, ", ")
	case len(e.left) == 1 && !bytes.Equal(e.bundle, want.bundle):
		return "another bundle"
	case e.code == 0 && len(e.left) == 0:
		return "no bundle, but exit code 0"
	case e.code == 0 && e.stderr != want.stderr:
		return "other messages, but exit code 0"
	case e.code != 0 && len(e.left) > 0:
		return "a bundle in spite of the exit code"
	case e.code != 0 && !strings.Contains(said, "/") && !strings.Contains(said, "rootimg"):
		return "an error that names no file"
	}
	return ""
}

// An export of which any call of a source fails ends with an error that names the
// file and leaves nothing, or with the right bundle. SOAK tries every call; else
// a few are tried, beginning with a random one.
func TestExportIsRightOrFailsWhicheverCallFails(t *testing.T) {
	t.Parallel()
	site := misbehaving(t, mixedSite(t))
	want := site.export(t)
	if want.code != 0 || len(want.left) != 1 {
		t.Fatalf("export without faults: exit code %d: %s", want.code, want.stderr)
	}
	for _, c := range []struct {
		name  string
		fault faultfs.Fault
		step  int // about so many calls are between those that are tried
	}{
		{"EIO", faultfs.Fault{Errno: syscall.EIO}, 31},
		{"ESTALE", faultfs.Fault{Errno: syscall.ESTALE}, 121},
		{"ENOSPC", faultfs.Fault{Errno: syscall.ENOSPC}, 121},
		{"short", faultfs.Fault{Short: true}, 121},
		{"grown", faultfs.Fault{Grow: 1}, 121},
		{"reversed", faultfs.Fault{Reverse: true}, 121},
	} {
		t.Run(c.name, func(t *testing.T) {
			step := c.step
			if soaking() {
				step = 1
			}
			site.failEach(t, c.fault, step, want)
			site.Set(nil)
			if got := site.export(t); got.code != 0 || !bytes.Equal(got.bundle, want.bundle) {
				t.Errorf("without faults again: exit code %d: %s", got.code, got.stderr)
			}
		})
	}
}

// failEach has every step-th call of an export fail, until one passes untouched.
func (s *faultySite) failEach(t *testing.T, fault faultfs.Fault, step int, want faultyExport) {
	random := rand.New(rand.NewPCG(randomSeed(t), 0))
	failed, tried := 0, 0
	n := 1 + random.IntN(step)
	for ; ; n += step {
		s.Set(faultfs.At(n, fault))
		got := s.export(t)
		calls := s.Calls()
		if len(calls) < n {
			break
		}
		tried++
		if got.code != 0 {
			failed++
		}
		if wrong := got.judge(want); wrong != "" {
			t.Errorf("%v: %s (exit code %d): %s", calls[n-1], wrong, got.code, got.stderr)
		}
	}
	t.Logf("%d of about %d calls failed one by one: %d exports ended with an error", tried, n, failed)
}

// Attributes that cannot be listed are no reason to say that there are none.
func TestAttributesThatCannotBeListedAreAnError(t *testing.T) {
	site := misbehaving(t, mixedSite(t))
	site.Set(faultfs.On(faultfs.Listxattr, "/", faultfs.Fault{Errno: syscall.EIO}))
	got := site.export(t)
	if got.code != 5 || len(got.left) != 0 {
		t.Errorf("exit code %d, want 5; left: %v", got.code, got.left)
	}
	expectContains(t, "the error", got.stderr, "rootimg/etc: input/output error")
}

// A change of two directories during a walk does not give a tree with half of it.
func TestTreeThatChangesDuringTheWalkIsOneState(t *testing.T) {
	needTools(t, "cpio")
	site := newSite(t)
	must(t, site.AddStatelite("mixed", []byte("kernel"), []byte("ramdisk")))
	tree := site.TreeDir("mixed")
	must(t, site.WriteFile(tree+"/a/other", 0o644, []byte("other")))
	must(t, site.WriteFile(tree+"/z/moved", 0o644, []byte("moved")))
	faulty := misbehaving(t, site)
	a, z := faulty.real(tree+"/a/moved"), faulty.real(tree+"/z/moved")
	var once sync.Once
	faulty.Set(func(c faultfs.Call) faultfs.Fault {
		if c.Op == faultfs.Opendir && strings.HasSuffix(c.Path, "rootimg/z") {
			time.Sleep(100 * time.Millisecond) // a has been listed
			once.Do(func() {
				if err := errors.Join(os.WriteFile(a, []byte("moved"), 0o644), os.Remove(z)); err != nil {
					t.Error(err)
				}
			})
		}
		return faultfs.Fault{}
	})
	got := faulty.export(t)
	if got.code != 0 {
		expectContains(t, "the error", got.stderr, "changed since the bundle was planned; try again")
		return
	}
	file := filepath.Join(t.TempDir(), "bundle")
	must(t, os.WriteFile(file, got.bundle, 0o600))
	names := shell(t, "", `tar -xzOf "$1" ./mixed/rootimgtree.gz | zcat | cpio --quiet -t`, file)
	if n := strings.Count(names, "/moved"); n != 1 {
		t.Errorf("the tree has %d files called moved:\n%s", n, names)
	}
}
