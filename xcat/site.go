package xcat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"imgexportfs/bundle"
)

// Config says where a site is.
type Config struct {
	Cfgloc  string                   // as ParseSpec takes it; "" is xCAT's own choice, see findSpec
	Root    string                   // the directory that stands for "/"; "" is "/"
	Getenv  func(name string) string // nil is os.Getenv
	Refresh time.Duration            // how old a Catalog may be before the database is looked at; 0: always look
}

// Site is an xCAT site: its database and its files.
//
// A Site is safe for use by several goroutines.
type Site struct {
	root    *bundle.Root
	refresh time.Duration

	turn    chan struct{} // holds a token while no one uses the next two
	backend Backend
	version Version // of catalog

	mu      sync.Mutex // guards what follows
	catalog *Catalog
	looked  time.Time // when the database was last looked at
	lastErr error     // of that look
}

// retryAfter is how long a site that cannot be read is left alone: waiting
// for a lock takes seconds, and every lookup would.
const retryAfter = time.Second

// ErrClosed reports the use of a site after Close.
var ErrClosed = errors.New("the site is closed")

// OpenSite opens a site and reads its rows.
func OpenSite(ctx context.Context, cfg Config) (*Site, error) {
	root, err := bundle.OpenRoot(cfg.Root)
	if err != nil {
		return nil, err
	}
	site, err := openSite(ctx, root, cfg)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return site, nil
}

func openSite(ctx context.Context, root *bundle.Root, cfg Config) (*Site, error) {
	spec, err := findSpec(root, cfg)
	if err != nil {
		return nil, err
	}
	backend, err := openBackend(root, spec)
	if err != nil {
		return nil, err
	}
	s := newSite(root, backend, cfg.Refresh)
	if _, err := s.Catalog(ctx); err != nil {
		_ = backend.Close()
		return nil, err
	}
	return s, nil
}

func newSite(root *bundle.Root, backend Backend, refresh time.Duration) *Site {
	s := &Site{root: root, backend: backend, refresh: refresh, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// Root returns the directory that the site's paths count from. It is closed
// together with the site.
func (s *Site) Root() *bundle.Root { return s.root }

// Close waits for a reading in progress and releases the site.
func (s *Site) Close() error {
	if _, open := <-s.turn; !open {
		return nil
	}
	close(s.turn)
	s.mu.Lock()
	s.looked = time.Time{} // nothing is fresh any more
	s.mu.Unlock()
	return errors.Join(s.backend.Close(), s.root.Close())
}

// LastError returns why the database could not be read when it was last
// looked at, or nil. While there is an error, Catalog returns the rows that
// were read before.
func (s *Site) LastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastErr
}

// Catalog returns the site's rows. They are at most as old as Config.Refresh
// when the database can be read, and as they were last read otherwise; see
// LastError. An error means that they were never read, that ctx is done, or
// that the site is closed.
func (s *Site) Catalog(ctx context.Context) (*Catalog, error) {
	if c, err, ok := s.fresh(); ok {
		return c, err
	}
	// One at a time looks at the database; who had to wait finds that
	// somebody else has just done so.
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case _, open := <-s.turn:
		if !open {
			return nil, ErrClosed
		}
	}
	defer func() { s.turn <- struct{}{} }()
	if c, err, ok := s.fresh(); ok {
		return c, err
	}
	return s.look(ctx)
}

// fresh returns what the last look found, if that was recent enough.
func (s *Site) fresh() (*Catalog, error, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	age, limit := time.Since(s.looked), s.refresh
	if s.lastErr != nil {
		limit = max(limit, retryAfter)
	}
	if s.looked.IsZero() || age >= limit {
		return nil, nil, false
	}
	if s.catalog == nil {
		return nil, s.lastErr, true
	}
	return s.catalog, nil, true
}

// look reads the rows if they have changed. The caller has the turn.
func (s *Site) look(ctx context.Context) (*Catalog, error) {
	catalog, err := s.reload(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked, s.lastErr = time.Now(), err
	if err == nil {
		s.catalog = catalog
	}
	if s.catalog == nil {
		return nil, err
	}
	return s.catalog, nil
}

// reload returns the catalog of the present rows. The caller has the turn,
// and nobody else changes s.catalog.
func (s *Site) reload(ctx context.Context) (*Catalog, error) {
	if s.catalog != nil {
		version, err := s.backend.Version(ctx)
		if err != nil {
			return nil, fmt.Errorf("look at the site's database: %w", err)
		}
		if version == s.version {
			return s.catalog, nil
		}
	}
	tables, version, err := s.backend.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the site's database: %w", err)
	}
	s.version = version
	return newCatalog(tables), nil
}
