package xcat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"imgexportfs/bundle/source"
)

// Config says where a site is.
type Config struct {
	Cfgloc  string                   // as ParseSpec takes it, or a file that holds that; "" is xCAT's own choice, see findSpec
	Root    string                   // the directory that stands for "/"; "" is "/"
	Getenv  func(name string) string // nil is os.Getenv
	Refresh time.Duration            // how old a Catalog may be before the database is looked at; 0: always look
	Log     *slog.Logger             // is told when the database is lost, and when it is back; nil is nobody
}

// Site is an xCAT site: its database and its files.
//
// Its rows are looked at in the background, by one look at a time (look.go);
// what is known of a database that cannot be read is in status.go. A Site is
// safe for use by several goroutines.
type Site struct {
	root     *source.Root
	database string // its name for people
	refresh  time.Duration
	log      *slog.Logger
	life     context.Context // ends with Close
	end      context.CancelFunc

	turn    sync.Mutex // guards the next two
	backend Backend
	version Version // of catalog

	mu       sync.Mutex // guards what follows; never held while the database is asked
	catalog  *Catalog   // the last rows that were read, nil before
	read     time.Time  // when the look began that has read them
	looked   time.Time  // when the last look began that has ended
	current  *look      // in progress, or nil
	trouble  trouble
	isClosed bool
}

// ErrClosed reports the use of a site after Close.
var ErrClosed = errors.New("the site is closed")

// OpenSite opens a site and reads its rows.
func OpenSite(ctx context.Context, cfg Config) (*Site, error) {
	root, err := source.OpenRoot(cfg.Root)
	if err != nil {
		return nil, err
	}
	spec, err := findSpec(root, cfg)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	backend, err := openBackend(root, spec)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	s := newSite(root, backend, spec.String(), cfg)
	if _, err := s.Catalog(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func newSite(root *source.Root, backend Backend, database string, cfg Config) *Site {
	s := &Site{root: root, backend: backend, database: database, refresh: cfg.Refresh, log: cfg.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Root returns the directory that the site's paths count from. It is closed
// together with the site.
func (s *Site) Root() *source.Root { return s.root }

// Close ends a look in progress and releases the site.
func (s *Site) Close() error {
	s.mu.Lock()
	again := s.isClosed
	s.isClosed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.end()
	s.turn.Lock() // who gets it later sees that the life is over
	defer s.turn.Unlock()
	return errors.Join(s.backend.Close(), s.root.Close())
}

// Catalog returns the site's rows. They are at most as old as Config.Refresh
// when the database can be read. While it cannot, and while it takes longer than
// a moment to answer, they are as they were last read; see Status. An error
// means that they were never read, that ctx is done, or that the site is closed.
func (s *Site) Catalog(ctx context.Context) (*Catalog, error) {
	asked := time.Now()
	for {
		catalog, pending, err := s.known(asked)
		if pending == nil {
			return catalog, err
		}
		var enough <-chan time.Time // without a catalog there is nothing to do but wait
		if catalog != nil {
			enough = time.After(time.Until(pending.began.Add(patience)))
		}
		select {
		case <-pending.done:
		case <-enough:
			return catalog, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// known returns what a caller gets who asked at the given time, or what there
// is and the look that he should wait for.
func (s *Site) known(asked time.Time) (*Catalog, *look, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isClosed:
		return nil, nil, ErrClosed
	case s.trouble.err != nil && asked.Before(s.trouble.retry):
		if s.catalog == nil {
			return nil, nil, s.trouble.err
		}
		return s.catalog, nil, nil
	}
	if s.current == nil && (s.trouble.err != nil || !s.isYounger(asked, s.refresh*3/4)) {
		s.startLook()
	}
	if s.trouble.err == nil && s.isYounger(asked, s.refresh) {
		return s.catalog, nil, nil
	}
	return s.catalog, s.current, nil
}

// isYounger reports whether what the last look has found was not older than
// age when it was asked for. With an age of 0 the look must have begun after
// that.
func (s *Site) isYounger(asked time.Time, age time.Duration) bool {
	return s.catalog != nil && !s.looked.Before(asked.Add(-age))
}

// reload returns the catalog of the present rows. The caller has the turn.
func (s *Site) reload(ctx context.Context, have *Catalog) (*Catalog, error) {
	if have != nil {
		version, err := s.backend.Version(ctx)
		if err != nil {
			return nil, fmt.Errorf("look at the site's database: %w", err)
		}
		if version == s.version {
			return have, nil
		}
	}
	tables, version, err := s.backend.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the site's database: %w", err)
	}
	s.version = version
	return newCatalog(tables), nil
}

// tables reads all tables now.
func (s *Site) tables(ctx context.Context) (Tables, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.life.Err() != nil {
		return nil, ErrClosed
	}
	tables, _, err := s.backend.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the site's database: %w", err)
	}
	return tables, nil
}
