package fs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"imgexportfs/bundle/blocks"
)

// look is one look at the files of a view. It runs on a goroutine of its own and
// belongs to no request: a request that stops waiting leaves it to the others,
// and a source that hangs holds up nothing but the looks at its own image.
type look struct {
	of    view
	rows  rows
	began time.Time
	done  chan struct{} // closed when what follows is there

	summary summary // of a brief look
	version *version
	plan    *plan     // kept for each of the waiters
	at      time.Time // all that the plan holds was so then, or later
	err     error

	// Guarded by versions.mu.
	waiters  int
	finished bool
	walk     time.Time // when the walk began that it waits for and may not have begun; zero if there is none
	isLogged bool      // that it hangs
}

// How long requests wait for looks at files that hang, since they have begun.
const (
	briefPatience = time.Second // of a listing
	fullPatience  = 3 * time.Second
	stuckPoll     = 250 * time.Millisecond
	stuckAfter    = 500 * time.Millisecond // a system call for a file takes less
)

// looksMax bounds the looks that can hang at a time. Each may have a thread of
// the operating system for itself.
const looksMax = 1000

func isTimeout(err error) bool { return errors.Is(err, errTimeout) }

// renew returns the version of a view that a look finds by the rows r or newer
// ones, and its plan, which the caller releases. What the look has found was so since
// the last doubt, and is not older than the refresh interval: a look that is in progress
// for longer may have seen less, and then the caller has the next one too.
func (vs *versions) renew(ctx context.Context, r rows, of view) (*version, *plan, error) {
	doubt, oldest := vs.doubt(of), time.Now().Add(-vs.refresh)
	for {
		l, err := vs.joinFull(r, of, doubt)
		if err != nil {
			return nil, nil, err
		}
		if err := vs.wait(ctx, l, fullPatience); err != nil {
			vs.leave(l)
			return nil, nil, err
		}
		if l.err != nil || l.rows.serial >= r.serial && !l.at.Before(doubt) && !l.at.Before(oldest) {
			return l.version, l.plan, l.err
		}
		l.plan.release()
	}
}

// doubt is when the version of a view was distrusted; zero if it was not.
func (vs *versions) doubt(of view) time.Time {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.entry(of).distrusted()
}

// joinFull has the caller wait for the full look at a view that is in progress,
// or for a new one, for which nothing counts that was found before the doubt.
func (vs *versions) joinFull(r rows, of view, doubt time.Time) (*look, error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	k := vs.entry(of)
	if k.full == nil {
		if k.brief != nil && time.Since(k.brief.began) > fullPatience || vs.looks >= looksMax {
			return nil, errTimeout
		}
		k.full = &look{of: of, rows: r, began: time.Now(), done: make(chan struct{})}
		since := slices.MaxFunc([]time.Time{k.full.began.Add(-vs.refresh), doubt, k.distrusted()}, time.Time.Compare)
		vs.looks++
		work := &planner{versions: vs, rows: r, of: of, look: k.full, since: since, outline: k.takeOutline(r, since)}
		go vs.runFull(k, k.full, work, k.version)
	}
	k.full.waiters++
	return k.full, nil
}

// runFull makes the plan of a view.
func (vs *versions) runFull(k *known, l *look, work *planner, before *version) {
	l.err = blocks.Guarded(vs.log, "look at image "+l.of.image, func() (err error) {
		l.plan, err = work.run(before)
		return err
	})
	vs.mu.Lock()
	defer vs.mu.Unlock()
	defer close(l.done)
	vs.looks--
	k.full, l.finished = nil, true
	if l.err != nil {
		return
	}
	l.at = work.at
	vs.takeUpPlan(k, l)
	vs.forgetIfGone(l.rows, l.of, k)
	for range l.waiters {
		l.plan.share.Use()
	}
	l.plan.release()
}

// takeUpPlan makes what a full look has found the present version of a view. The caller
// holds mu.
func (vs *versions) takeUpPlan(k *known, l *look) {
	p := l.plan
	if k.version == nil || k.version.fingerprint != p.fingerprint {
		k.version = newVersion(l.of, p, vs.attempts)
	}
	l.version = k.version
	if p.owner == nil {
		p.owner = k.version
		k.version.plan.Store(p)
	}
	k.serial, k.at = l.rows.serial, l.at
	k.treeRefused, k.treeFaults = p.treeRefused, p.treeFaults
	k.summary = summary{
		serial: l.rows.serial, at: l.at, modTime: briefTime(p.members),
		refused: p.bundle == nil, faults: p.errors != "",
	}
}

// wait waits until a look is done. It gives up when ctx ends, and with
// errTimeout when the look has begun longer ago than patience and hangs.
func (vs *versions) wait(ctx context.Context, l *look, patience time.Duration) error {
	err := vs.waitFor(ctx, l.done, l.began, patience, func() bool { return len(vs.hanging(vs.oldest(l))) > 0 })
	if isTimeout(err) {
		vs.logHanging(l)
		return fmt.Errorf("image %s: %w", l.of.image, err)
	}
	return err
}

// waitFor waits until done is closed. It gives up when ctx ends, and with errTimeout
// when patience has passed since began and files hang.
func (vs *versions) waitFor(ctx context.Context, done <-chan struct{}, began time.Time, patience time.Duration, hangs func() bool) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		left := time.Until(began.Add(patience))
		if left <= 0 && hangs() {
			return errTimeout
		}
		timer := time.NewTimer(max(left, stuckPoll))
		select {
		case <-done:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
}

// patient returns a context that ends as ctx does, and with errTimeout as its cause when
// patience has passed and files hang.
func patient(ctx context.Context, patience time.Duration, hangs func() bool) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience, func() {
		for !hangs() {
			select {
			case <-time.After(stuckPoll):
			case <-ctx.Done():
				return
			}
		}
		end(errTimeout)
	})
	return ctx, func() {
		timer.Stop()
		end(nil)
	}
}

// waitsFor notes that a look waits for a walk that began then.
func (vs *versions) waitsFor(l *look, began time.Time) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	l.walk = began
}

// oldest returns since when there may be calls that a look waits for: since it has begun, or
// since another view's look has begun the walk that both wait for.
func (vs *versions) oldest(l *look) time.Time {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if !l.walk.IsZero() && l.walk.Before(l.began) {
		return l.walk
	}
	return l.began
}

// hanging returns the paths of system calls that do not return, of those that were
// made since began. So a look that only takes long is told from one that hangs.
func (vs *versions) hanging(began time.Time) (paths []string) {
	for _, call := range vs.stuck(stuckAfter) {
		if !call.Since.Before(began) {
			paths = append(paths, call.Path)
		}
	}
	return paths
}

// leave is called by a request that waits for a full look no more.
func (vs *versions) leave(l *look) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if !l.finished {
		l.waiters--
	} else if l.err == nil {
		l.plan.release()
	}
}

// logHanging says once for the looks at a view that they hang, and where.
func (vs *versions) logHanging(l *look) {
	vs.mu.Lock()
	k, logged := vs.entry(l.of), l.isLogged
	for _, other := range []*look{k.brief, k.full} {
		logged = logged || other != nil && other.isLogged
	}
	l.isLogged = true
	vs.mu.Unlock()
	if !logged {
		vs.log.Warn("files of an image do not answer; it is shown as it was last known",
			"image", l.of.image, "paths", vs.hanging(vs.oldest(l)))
	}
}

// await runs f on a goroutine of its own and waits for it as for a look. If f
// ends well after the caller has stopped waiting, undo is called.
func (vs *versions) await(ctx context.Context, what string, f func() error, undo func()) error {
	done := make(chan struct{})
	var err error
	began := time.Now()
	go func() {
		defer close(done)
		err = blocks.Guarded(vs.log, what, f)
	}()
	if gone := vs.waitFor(ctx, done, began, fullPatience, func() bool { return len(vs.hanging(began)) > 0 }); gone != nil {
		go func() {
			if <-done; err == nil {
				undo()
			}
		}()
		return fmt.Errorf("%s: %w", what, gone)
	}
	return err
}
