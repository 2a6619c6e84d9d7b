package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"imgexportfs/bundle/source"
)

// fakeBackend is a database with one image, named after its version.
type fakeBackend struct {
	mu      sync.Mutex
	version Version
	err     error
	block   chan struct{} // Load waits until it is closed, if not nil

	looks, loads, busy atomic.Int32
	closed             atomic.Bool
}

func (f *fakeBackend) set(version Version, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version, f.err = version, err
}

func (f *fakeBackend) get() (Version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.version, f.err
}

func (f *fakeBackend) Version(context.Context) (Version, error) {
	f.looks.Add(1)
	return f.get()
}

func (f *fakeBackend) Load(ctx context.Context) (Tables, Version, error) {
	if f.busy.Add(1) > 1 {
		panic("two readings at once")
	}
	defer f.busy.Add(-1)
	f.loads.Add(1)
	if f.block != nil {
		select {
		case <-f.block:
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
	version, err := f.get()
	return Tables{"osimage": tableOf("osimage", Row{"imagename": string(version)})}, version, err
}

func (f *fakeBackend) Close() error {
	f.closed.Store(true)
	return nil
}

func newFakeSite(t *testing.T, f *fakeBackend, refresh time.Duration) *Site[Tables] {
	t.Helper()
	root, err := source.OpenRoot(t.TempDir())
	must(t, err)
	s := newSite(root, f, "fake", Config{Refresh: refresh}, rowsOf)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func expectImage(t *testing.T, s *Site[Tables], want string) {
	t.Helper()
	c, err := s.Catalog(t.Context())
	if err != nil || !slices.Equal(images(c), []string{want}) {
		t.Fatalf("got %v, %v; want %s", c, err, want)
	}
}

func TestCatalogIsReadAgainOnlyAfterAChange(t *testing.T) {
	f := &fakeBackend{version: "v1"}
	s := newFakeSite(t, f, 0)
	for range 3 {
		expectImage(t, s, "v1")
	}
	if looks, loads := f.looks.Load(), f.loads.Load(); looks != 2 || loads != 1 {
		t.Errorf("%d looks and %d readings, want 2 and 1", looks, loads)
	}
	f.set("v2", nil)
	expectImage(t, s, "v2")
	if loads := f.loads.Load(); loads != 2 {
		t.Errorf("%d readings, want 2", loads)
	}
}

func TestCatalogIsNotLookedAtWhileItIsFresh(t *testing.T) {
	f := &fakeBackend{version: "v1"}
	s := newFakeSite(t, f, time.Hour)
	expectImage(t, s, "v1")
	f.set("v2", nil)
	expectImage(t, s, "v1")
	if looks := f.looks.Load(); looks != 0 {
		t.Errorf("%d looks", looks)
	}
}

func TestCatalogKeepsTheLastRowsWhenTheDatabaseFails(t *testing.T) {
	f := &fakeBackend{version: "v1"}
	s := newFakeSite(t, f, 0)
	expectImage(t, s, "v1")
	broken := errors.New("locked")
	f.set("v2", broken)
	for range 3 {
		expectImage(t, s, "v1")
		if err := s.LastError(); !errors.Is(err, broken) {
			t.Errorf("last error %v", err)
		}
	}
	if looks := f.looks.Load(); looks != 1 {
		t.Errorf("%d looks at a database that fails, want 1 a second", looks)
	}
	f.set("v2", nil)
	s.mu.Lock()
	s.trouble.retry = time.Now()
	s.mu.Unlock()
	expectImage(t, s, "v2")
	if err := s.LastError(); err != nil {
		t.Errorf("last error %v", err)
	}
}

func TestCatalogThatWasNeverReadIsAnError(t *testing.T) {
	broken := errors.New("not there")
	f := &fakeBackend{err: broken}
	s := newFakeSite(t, f, 0)
	for range 2 {
		if _, err := s.Catalog(t.Context()); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
	if loads := f.loads.Load(); loads != 1 {
		t.Errorf("%d readings", loads)
	}
}

func TestManyCallersCauseOneReading(t *testing.T) {
	f := &fakeBackend{version: "v1", block: make(chan struct{})}
	s := newFakeSite(t, f, time.Hour)
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if _, err := s.Catalog(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	close(f.block)
	callers.Wait()
	if loads := f.loads.Load(); loads != 1 {
		t.Errorf("%d readings", loads)
	}
}

func TestOneCallersCancellationIsItsOwn(t *testing.T) {
	f := &fakeBackend{version: "v1", block: make(chan struct{})}
	s := newFakeSite(t, f, 0)
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error, 2)
	for _, c := range []context.Context{ctx, t.Context()} {
		go func() {
			_, err := s.Catalog(c)
			results <- err
		}()
	}
	time.Sleep(20 * time.Millisecond)
	cancel()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled caller got %v", err)
	}
	close(f.block)
	if err := <-results; err != nil {
		t.Errorf("the other caller got %v", err)
	}
	if err := s.LastError(); err != nil {
		t.Errorf("the cancellation is remembered: %v", err)
	}
}

func TestAClosedSiteHasNoCatalog(t *testing.T) {
	f := &fakeBackend{version: "v1"}
	s := newFakeSite(t, f, time.Hour)
	expectImage(t, s, "v1")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Catalog(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	if !f.closed.Load() {
		t.Error("the back end is open")
	}
}

func TestOpenSiteNeedsTheDatabase(t *testing.T) {
	if _, err := Open(t.Context(), Config{Root: t.TempDir(), Getenv: noEnv}, rowsOf); err == nil {
		t.Error("a site without tables opens")
	}
	if _, err := Open(t.Context(), Config{Root: t.TempDir() + "/none", Getenv: noEnv}, rowsOf); err == nil {
		t.Error("a site without a root opens")
	}
}

func TestSiteShowsChangesOfTheDatabase(t *testing.T) {
	s := newTestSite(t)
	site := s.open()
	for i := range 5 {
		name := fmt.Sprint("image", i)
		s.insert("osimage", Row{"imagename": name})
		c, err := site.Catalog(t.Context())
		if err != nil || !slices.Contains(images(c), name) {
			t.Fatalf("image %s does not show: %v", name, err)
		}
	}
	// Changes that keep the size of everything, as fast as they can be made.
	for i := range 20 {
		version := fmt.Sprintf("v%02d", i)
		s.exec("osimage", "UPDATE osimage SET osvers = ? WHERE imagename = 'image0'", version)
		c, err := site.Catalog(t.Context())
		must(t, err)
		if row := (*c)["osimage"].Visible()[0]; row["osvers"] != version {
			t.Fatalf("osvers is %q, want %q", row["osvers"], version)
		}
	}
}
