package xcat

import (
	"context"
	"fmt"
	"time"
)

// look is one look at the database, which many callers of Catalog may wait
// for. It belongs to none of them: who stops waiting leaves it to the others.
//
// Under steady use nobody waits. A look begins when three quarters of the
// refresh time are over, and until all of it is over the rows that are known
// will do. Only who comes after a longer rest waits for a look that began for
// him, and no longer than patience.
type look struct {
	began time.Time
	done  chan struct{} // closed when the site has taken up what was found
}

const (
	// patience is how long callers wait for a look when there are rows to
	// give them: long enough to read a large site that has changed.
	patience = time.Second
	// lookLimit ends a look at a server that has vanished without a word.
	lookLimit = time.Minute
)

// startLook begins a look. The caller holds mu, and there is none.
func (s *Site) startLook() {
	s.current = &look{began: time.Now(), done: make(chan struct{})}
	go s.run(s.current, s.catalog)
}

// run looks at the database and takes up what it finds.
func (s *Site) run(l *look, have *Catalog) {
	defer close(l.done)
	catalog, err := s.see(have)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
	if s.isClosed {
		return
	}
	s.noteLook(l, err)
	s.looked = l.began
	if err == nil {
		if catalog != s.catalog {
			s.read = l.began
		}
		s.catalog = catalog
	}
}

// see has its turn with the back end.
func (s *Site) see(have *Catalog) (*Catalog, error) {
	ctx, cancel := context.WithTimeoutCause(s.life, lookLimit,
		fmt.Errorf("database %s: no answer within %v", s.database, lookLimit))
	defer cancel()
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.life.Err() != nil {
		return nil, ErrClosed
	}
	catalog, err := s.reload(ctx, have)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return catalog, err
}
