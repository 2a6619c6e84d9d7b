package fs

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
	"imgexportfs/xcat"
)

// versions knows the present version of every image, plain and as seen from a
// node. It looks at the site again when what it knows is older than the
// refresh interval.
type versions struct {
	life    context.Context // of looks
	site    *xcat.Site
	engine  *bundle.Engine
	request func(image string) xcat.Request // nil = what imgexport packs
	refresh time.Duration
	log     *slog.Logger
	trees   *trees
	warmer  *warmer
	slots   chan struct{} // one for each brief look at a time, see brief.go
	stuck   func(longer time.Duration) []source.Call

	mu       sync.Mutex // guards what follows; never held while a file or the database is looked at
	rows     rows       // the newest
	known    map[view]*known
	ofNodes  *list.List // of the views of nodes, last used in front
	attempts uint64     // see version
	looks    int        // in progress
}

func newVersions(life context.Context, site *xcat.Site, engine *bundle.Engine, opts Options) *versions {
	vs := &versions{
		life: life, site: site, engine: engine, request: opts.Request, refresh: opts.Refresh, log: opts.Log,
		trees: newTrees(life, site.Root(), engine.Budget(), opts.Log),
		slots: newSlots(), stuck: site.Root().Stuck,
		known: map[view]*known{}, ofNodes: list.New(),
	}
	vs.warmer = newWarmer(vs)
	return vs
}

// isFresh reports whether the version of k is the present one by the rows r and
// needs no look. The caller holds mu.
func (vs *versions) isFresh(k *known, r rows) bool {
	return k.isTrusted() && k.serial >= r.serial && time.Since(k.at) < vs.refresh
}

// fresh returns the present version of a view if it needs no look, or nil.
func (vs *versions) fresh(r rows, of view) *version {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if k := vs.known[of]; k != nil && vs.isFresh(k, r) {
		return k.version
	}
	return nil
}

// present returns the present version of a view. As long as neither rows nor
// sources change, it is the same one. While sources do not answer it is the one
// that was known last.
func (vs *versions) present(ctx context.Context, r rows, of view) (*version, error) {
	if v := vs.fresh(r, of); v != nil {
		return v, nil
	}
	v, p, err := vs.renew(ctx, r, of)
	if err != nil {
		return vs.lastKnown(of, err)
	}
	p.release()
	return v, nil
}

// lastKnown returns the version that a view had last if the reason why there is
// no present one is that files do not answer.
func (vs *versions) lastKnown(of view, err error) (*version, error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if k := vs.known[of]; k != nil && k.isTrusted() && isTimeout(err) {
		return k.version, nil
	}
	return nil, err
}

// planOf returns the plan of a version, made again if it was dropped. The
// caller releases it. The error is source.ErrChanged if v is not the present
// version any more.
func (vs *versions) planOf(ctx context.Context, v *version) (*plan, error) {
	if err := vs.trusted(v); err != nil {
		return nil, err
	}
	if p := v.use(); p != nil {
		return p, nil
	}
	r, err := vs.look(ctx)
	if err != nil {
		return nil, err
	}
	now, p, err := vs.renew(ctx, r, v.view)
	if err != nil {
		return nil, err
	}
	if !now.isSame(v) {
		p.release()
		return nil, changed(v)
	}
	return p, nil
}

// trusted returns errDistrusted if v is distrusted. It is trusted again if a
// look has found it after that; until then, the next look has to.
func (vs *versions) trusted(v *version) error {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if v.distrusted.IsZero() {
		return nil
	}
	if k := vs.known[v.view]; k != nil && k.version != nil && k.version.isSame(v) {
		if !k.at.Before(v.distrusted) {
			v.distrusted = time.Time{}
			return nil
		}
		if v.distrusted.After(k.version.distrusted) { // it is known by another look than v
			k.version.distrusted = v.distrusted
		}
	}
	return fmt.Errorf("image %s: %w", v.view.image, errDistrusted)
}

// distrust has the next look at the view go to the files, however fresh v is: err has
// shown that it is not what there is now. A version that is distrusted already stays so
// since then: a second doubt would outdate the look that the first one has led to.
func (vs *versions) distrust(v *version, err error) {
	if errors.Is(err, errDistrusted) {
		return
	}
	p := v.use()
	vs.mu.Lock()
	v.distrusted = time.Now()
	if k := vs.known[v.view]; k != nil && k.version != nil && k.version.isSame(v) {
		k.version.distrusted, k.at = v.distrusted, time.Time{}
		if p != nil && p.isBroken() {
			k.version = nil // not one more time this inode number
			vs.attempts++
		}
	}
	vs.mu.Unlock()
	if p != nil {
		p.release()
	}
}

// size returns the size of the bundle of v.
func (vs *versions) size(ctx context.Context, v *version) (int64, error) {
	if n := v.size.Load(); n >= 0 {
		return n, nil
	}
	p, err := vs.planOf(ctx, v)
	if err != nil {
		return 0, err
	}
	defer p.release()
	// Another caller may have begun to find it, so it counts which files hang.
	hangs := func() bool { return slices.ContainsFunc(vs.stuck(stuckAfter), p.holds) }
	ctx, stop := patient(ctx, fullPatience, hangs)
	defer stop()
	n, err := p.bundle.Size(ctx)
	switch {
	case err == nil:
		v.size.Store(n)
	case isTimeout(context.Cause(ctx)):
		err = fmt.Errorf("image %s: %w", v.view.image, errTimeout)
	}
	return n, err
}

// validFor says for how long the kernel may keep what was found by the rows r
// and, if v is not nil, by the look that has found v: what is older than the
// refresh interval must not be shown.
func (vs *versions) validFor(r rows, v *version) time.Duration {
	seen := r.seen
	if v != nil {
		vs.mu.Lock()
		k := vs.known[v.view]
		switch {
		case k == nil || k.version != v || k.serial < r.serial: // the last one, because files hang
			seen = time.Time{}
		case k.at.Before(seen):
			seen = k.at
		}
		vs.mu.Unlock()
	}
	return max(vs.refresh-time.Since(seen), 0)
}

// presentPlan returns the present version of a view with its plan, which the caller
// releases, and for how long the kernel may keep what is found in it.
func (vs *versions) presentPlan(ctx context.Context, of view) (*version, *plan, time.Duration, error) {
	r, err := vs.look(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	if v := vs.fresh(r, of); v != nil {
		if p := v.use(); p != nil {
			return v, p, vs.validFor(r, v), nil
		}
	}
	v, p, err := vs.renew(ctx, r, of)
	if err != nil {
		return nil, nil, 0, err
	}
	return v, p, vs.validFor(r, v), nil
}

// sized returns the present version of a view when the size of its bundle is
// known. A version whose sources change meanwhile is replaced a few times
// before the reader gets the error.
func (vs *versions) sized(ctx context.Context, r rows, of view) (v *version, err error) {
	for range planTries {
		if v, err = vs.present(ctx, r, of); err != nil {
			return nil, err
		}
		if v.refused {
			return nil, errNotOffered
		}
		if _, err = vs.size(ctx, v); !errors.Is(err, source.ErrChanged) {
			break
		}
		vs.distrust(v, err)
	}
	return v, err
}

// changed says of which image a version is not the present one any more.
func changed(v *version) error { return fmt.Errorf("image %s: %w", v.view.image, source.ErrChanged) }
