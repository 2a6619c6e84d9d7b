package fs

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle"
	"imgexportfs/integration/xcatsite"
	"imgexportfs/xcat"
)

// mountHere mounts a site with the image foo in this process.
func mountHere(t *testing.T) string {
	t.Helper()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		t.Skipf("nothing can be mounted here: %v", err)
	} else {
		_ = f.Close()
	}
	made, err := xcatsite.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := made.AddStateful("foo", nil, nil); err != nil {
		t.Fatal(err)
	}
	site, err := xcat.OpenSite(t.Context(), xcat.Config{Root: made.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	engine, err := bundle.NewEngine(bundle.EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	mounted, err := Mount(t.Context(), t.TempDir(), site, engine, Options{})
	if err != nil {
		t.Skipf("nothing can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(mounted.Unmount(), mounted.End()); err != nil {
			t.Error(err)
		}
		mounted.Wait()
	})
	return mounted.Dir()
}

// A look of the server at its own mount would wait for itself. It ends at once.
func TestTheServersOwnLooksAtItsMountAreRefused(t *testing.T) {
	dir := mountHere(t)
	for name, look := range map[string]func() error{
		"stat of a bundle": func() error { return syscall.Stat(dir+"/foo.tgz", &syscall.Stat_t{}) },
		"listing":          func() error { _, err := os.ReadDir(dir); return err },
		"open":             func() error { _, err := os.ReadFile(dir + "/foo/manifest.xml"); return err },
	} {
		ended := make(chan error, 1)
		go func() { ended <- look() }()
		select {
		case err := <-ended:
			if !errors.Is(err, unix.EDEADLK) {
				t.Errorf("%s: %v, want EDEADLK", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s hangs", name)
		}
	}
}

func TestOwnThreadsAreToldFromOthers(t *testing.T) {
	for tid, own := range map[int]bool{
		os.Getpid():   true,
		unix.Gettid(): true,
		os.Getppid():  false,
		1:             os.Getpid() == 1,
		0:             false, // the kernel's own, and processes that this one cannot see
		1<<31 - 1:     false,
		-os.Getpid():  false,
	} {
		if got := isOwnThread(uint32(tid)); got != own {
			t.Errorf("thread %d is own: %v, want %v", tid, got, own)
		}
	}
}

// What a request of another process pays for the question.
func BenchmarkIsOwnThread(b *testing.B) {
	other := uint32(os.Getppid())
	for b.Loop() {
		if isOwnThread(other) {
			b.Fatal("the parent is taken for a thread of this process")
		}
	}
}
