package db

import (
	"context"
	"fmt"
	"time"
)

// look is one look at the database. Many callers of Catalog may wait for it, and
// it belongs to none of them: a caller that stops waiting does not end it.
//
// Under steady use no caller waits. A look begins when three quarters of the
// refresh time are over, and until all of it is over the known rows are served.
// Only a caller that comes after a longer rest waits, for a look that began
// because of it, and no longer than patience.
//
// One look runs at a time, so rows are never replaced by older ones.
type look struct {
	began time.Time
	done  chan struct{} // closed when the site holds what the look has found
}

const (
	// patience is how long callers wait for a look when there are rows to
	// give them. It is long enough to read a large site that has changed.
	patience = time.Second
	// lookLimit ends a look at a server that does not answer any more.
	lookLimit = time.Minute
)

// Catalog returns the site's rows. When the database can be read they are at most
// as old as Config.Refresh. While it cannot be read, or takes longer than a second
// to answer, they are those that were read last; see Status. An error means that
// they were never read, that ctx is done, or that the site is closed.
func (s *Site[C]) Catalog(ctx context.Context) (*C, error) {
	asked := time.Now()
	for {
		catalog, pending, err := s.known(asked)
		if pending == nil {
			return catalog, err
		}
		var enough <-chan time.Time // without rows there is nothing to do but wait
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

// Seen returns the time up to which the rows of c are known to be the present
// ones: when the look began that last found them so. Whatever is derived from c
// may be used until Config.Refresh has passed since then.
//
// While the database cannot be read, Seen is the present time, because there are
// no newer rows to be had. When newer rows than those of c have been read it is
// zero: then c must not replace what another caller has got since.
func (s *Site[C]) Seen(c *C) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c != s.catalog:
		return time.Time{}
	case s.trouble.err != nil:
		return time.Now()
	}
	return s.seen
}

// known returns what a caller gets that asked at the given time, or the present
// rows and the look that the caller should wait for.
func (s *Site[C]) known(asked time.Time) (*C, *look, error) {
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
		s.current = &look{began: time.Now(), done: make(chan struct{})}
		go s.run(s.current, s.catalog)
	}
	if s.trouble.err == nil && s.isYounger(asked, s.refresh) {
		return s.catalog, nil, nil
	}
	return s.catalog, s.current, nil
}

// isYounger reports whether the rows were not older than age when they were
// asked for. With an age of 0 the look must have begun after that.
func (s *Site[C]) isYounger(asked time.Time, age time.Duration) bool {
	return s.catalog != nil && !s.seen.Before(asked.Add(-age))
}

// run looks at the database and stores what it finds.
func (s *Site[C]) run(l *look, have *C) {
	defer close(l.done)
	tables, err := s.see(have != nil)
	catalog := have
	if tables != nil {
		catalog = s.arrange(tables)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
	if s.isClosed {
		return
	}
	s.noteLook(l, err)
	s.looked = l.began
	if err != nil {
		return
	}
	s.catalog, s.seen = catalog, l.began
	if tables != nil {
		s.loads++
		s.read, s.images = l.began, len(tables["osimage"].Visible())
	}
}

// see looks at the database when it is the look's turn. It returns no tables if the known
// ones are up to date.
func (s *Site[C]) see(known bool) (Tables, error) {
	ctx, cancel := limited(s.life, s.database)
	defer cancel()
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.life.Err() != nil {
		return nil, ErrClosed
	}
	tables, err := s.reload(ctx, known)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return tables, err
}

// limited returns a context that ends after lookLimit and says why.
func limited(ctx context.Context, database string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, lookLimit, fmt.Errorf("database %s: no answer within %v", database, lookLimit))
}

// reload returns the present tables, or none if the known ones are up to date. The caller
// has the turn.
func (s *Site[C]) reload(ctx context.Context, known bool) (Tables, error) {
	if known {
		version, err := s.backend.Version(ctx)
		if err != nil {
			return nil, fmt.Errorf("look at the site's database: %w", err)
		}
		if version == s.version {
			return nil, nil
		}
	}
	tables, version, err := s.backend.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the site's database: %w", err)
	}
	s.version = version
	return tables, nil
}
