package blocks

import (
	"sync"
	"time"
)

// Patience keeps work from waiting for files that it can do without, where the server
// that has them may be gone. The zero value is ready.
type Patience struct {
	mu    sync.Mutex // guards until
	until time.Time  // before which nothing is tried, for files did not answer
}

const (
	patienceMax = 5 * time.Second // for one call
	pauseMin    = time.Minute     // after a call that took longer
)

// Try calls f and reports whether it has returned, in time. If it has not, it goes on in
// the background, and undone, if not nil, is called when it returns; nothing is tried
// for a while.
func (p *Patience) Try(f, undone func()) bool {
	p.mu.Lock()
	pausing := time.Now().Before(p.until)
	p.mu.Unlock()
	if pausing {
		return false
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(patienceMax)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
	}
	p.mu.Lock()
	p.until = time.Now().Add(pauseMin)
	p.mu.Unlock()
	if undone != nil {
		go func() {
			<-done
			undone()
		}()
	}
	return false
}
