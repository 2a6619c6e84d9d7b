package fs

import (
	"context"
	"sync"
)

// listings counts the folders that are being listed. Listing takes all cores,
// and somebody waits for it, so the warmer, who does a work of the same kind,
// stays away meanwhile.
type listings struct {
	mu   sync.Mutex // guards what follows
	open int
	none chan struct{} // closed when open becomes 0
}

// begin is called before a folder is listed, and the function that it returns
// afterwards.
func (l *listings) begin() (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == 0 {
		l.none = make(chan struct{})
	}
	l.open++
	return l.end
}

func (l *listings) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open--; l.open == 0 {
		close(l.none)
	}
}

// wait returns when no folder is being listed; the error is that of ctx.
func (l *listings) wait(ctx context.Context) error {
	for ctx.Err() == nil {
		l.mu.Lock()
		open, none := l.open, l.none
		l.mu.Unlock()
		if open == 0 {
			break
		}
		select {
		case <-none:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}
