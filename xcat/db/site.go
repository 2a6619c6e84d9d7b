package db

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
	Refresh time.Duration            // how old the rows may be before the database is looked at; 0: always look
	Log     *slog.Logger             // gets a line when the database is lost and when it is back; nil is no log
}

// Site is an xCAT site: its database, and the directory that its paths count
// from. The rows of the database are delivered as a C, which Open's caller makes
// of the tables.
//
// The database is looked at in the background, by one look at a time (look.go).
// What is known of a database that cannot be read is in status.go. A Site is
// safe for use by several goroutines.
type Site[C any] struct {
	root     *source.Root
	database string // its name in messages
	tableDir string // the directory of its files, if it has one
	arrange  func(Tables) *C
	refresh  time.Duration
	log      *slog.Logger
	life     context.Context // ends with Close
	end      context.CancelFunc

	turn    sync.Mutex // guards the next two
	backend Backend
	version Version // of catalog

	mu       sync.Mutex // guards what follows; never held while the database is asked
	catalog  *C         // the rows that were read last, nil before
	images   int        // visible rows of osimage in them
	read     time.Time  // when the look began that read them
	seen     time.Time  // when the look began that last found them to be the present ones
	looked   time.Time  // when the last look began that has ended, also if it failed
	current  *look      // in progress, or nil
	trouble  trouble
	looks    int64 // that have ended
	failed   int64 // of them
	loads    int64 // of them that have read the rows
	looking  time.Duration
	isClosed bool
}

// ErrClosed reports the use of a site after Close.
var ErrClosed = errors.New("the site is closed")

// Open opens a site and reads its rows. The function arrange makes a C of the
// tables, each time that they have changed.
func Open[C any](ctx context.Context, cfg Config, arrange func(Tables) *C) (*Site[C], error) {
	root, spec, backend, err := find(cfg)
	if err != nil {
		return nil, err
	}
	s := newSite(root, backend, spec.String(), cfg, arrange)
	if spec.Kind == SQLite || spec.Kind == CSV {
		s.tableDir = spec.Place
	}
	if _, err := s.Catalog(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// find returns the root of a site, and the back end for its database.
func find(cfg Config) (root *source.Root, spec Spec, backend Backend, err error) {
	if root, err = source.OpenRoot(cfg.Root); err != nil {
		return nil, Spec{}, nil, err
	}
	if spec, err = findSpec(root, cfg); err == nil {
		backend, err = openBackend(root, spec)
	}
	if err != nil {
		_ = root.Close()
		return nil, Spec{}, nil, err
	}
	return root, spec, backend, nil
}

// openBackend returns the back end for a database. Nothing is opened yet.
func openBackend(root *source.Root, spec Spec) (Backend, error) {
	switch spec.Kind {
	case SQLite:
		return newSQLiteBackend(root, spec.Place), nil
	case MySQL:
		return openMySQL(spec)
	case PostgreSQL:
		return openPostgreSQL(spec)
	case CSV:
		return newCSVBackend(root, spec.Place), nil
	}
	return nil, fmt.Errorf("the site's database is of kind %s, which imgexportfs cannot read: it reads SQLite, mysql, Pg and CSV; "+
		"name one of these by --cfgloc", spec.Kind)
}

func newSite[C any](root *source.Root, backend Backend, database string, cfg Config, arrange func(Tables) *C) *Site[C] {
	s := &Site[C]{root: root, backend: backend, database: database, arrange: arrange, refresh: cfg.Refresh, log: cfg.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Root returns the directory that the site's paths count from. It is closed
// together with the site.
func (s *Site[C]) Root() *source.Root { return s.root }

// TableDir returns the directory of the files that hold the tables, counted from the
// root; "" if a server holds them.
func (s *Site[C]) TableDir() string { return s.tableDir }

// Close ends a look in progress and releases the site.
func (s *Site[C]) Close() error {
	s.mu.Lock()
	again := s.isClosed
	s.isClosed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.end()
	s.turn.Lock() // whatever takes it later finds that the life is over
	defer s.turn.Unlock()
	return errors.Join(s.backend.Close(), s.root.Close())
}
