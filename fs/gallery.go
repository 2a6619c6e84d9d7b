package fs

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// gallery knows the present version of every image, plain and as seen from a
// node. It looks at the site again when what it knows is older than the
// refresh interval.
type gallery struct {
	site    *xcat.Site
	engine  *bundle.Engine
	numbers *inodes
	refresh time.Duration
	warmer  *warmer

	listings listings

	mu      sync.Mutex // guards what follows, never held while the site is read
	catalog *xcat.Catalog
	dir     *directory // of catalog
	entries map[exhibit]*entry
}

// exhibit is an image as seen from a node; node is "" in the root folder.
type exhibit struct{ node, image string }

// entry is what the gallery knows of an exhibit.
type entry struct {
	turn chan struct{} // held by the one who looks at the site

	// Guarded by turn.
	brief   *xcat.Export // without the tree, for listings
	briefAt time.Time
	version *version
	at      time.Time
	wanted  bool // the version is not the warmer's alone
}

// entriesMax bounds the exhibits that are remembered: many nodes times many
// images may be asked for.
const entriesMax = 50_000

func newGallery(site *xcat.Site, engine *bundle.Engine, numbers *inodes, refresh time.Duration) *gallery {
	g := &gallery{site: site, engine: engine, numbers: numbers, refresh: refresh, entries: map[exhibit]*entry{}}
	g.warmer = newWarmer(g)
	return g
}

// look returns the present rows and what names they give.
func (g *gallery) look(ctx context.Context) (*xcat.Catalog, *directory, error) {
	catalog, err := g.site.Catalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if catalog != g.catalog {
		before := g.dir
		g.catalog, g.dir = catalog, newDirectory(catalog.Images())
		g.forgetGone()
		g.warmer.add(news(before, g.dir))
	}
	return catalog, g.dir, nil
}

// news are the images that are in a directory and were not in the one before,
// which is nil at first.
func news(before, now *directory) []exhibit {
	var list []exhibit
	for i := range now.offers {
		o := &now.offers[i]
		known := false
		if before != nil {
			_, known = before.claims[o.Name]
		}
		if o.Clash == nil && !known {
			list = append(list, exhibit{"", o.Image})
		}
	}
	return list
}

// forgetGone drops the images that are no more; g.mu is held.
func (g *gallery) forgetGone() {
	for e := range g.entries {
		if _, ok := g.catalog.OSImage(e.image); !ok {
			delete(g.entries, e)
		}
	}
}

// hold returns the entry of an exhibit, which the caller has to himself until
// he calls the function returned.
func (g *gallery) hold(ctx context.Context, of exhibit) (*entry, func(), error) {
	g.mu.Lock()
	e := g.entries[of]
	if e == nil {
		if len(g.entries) >= entriesMax {
			clear(g.entries)
		}
		e = &entry{turn: make(chan struct{}, 1)}
		g.entries[of] = e
	}
	g.mu.Unlock()
	select {
	case e.turn <- struct{}{}:
		return e, func() { <-e.turn }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// fresh reports whether what was seen at t needs no second look.
func (g *gallery) fresh(t time.Time) bool { return !t.IsZero() && time.Since(t) < g.refresh }

// brief returns what a listing needs to know of an exhibit: which of its
// files there are.
func (g *gallery) brief(ctx context.Context, catalog *xcat.Catalog, of exhibit) (*xcat.Export, error) {
	e, done, err := g.hold(ctx, of)
	if err != nil {
		return nil, err
	}
	defer done()
	if e.version != nil && g.fresh(e.at) {
		return e.version.asBrief(), nil
	}
	if e.brief == nil || !g.fresh(e.briefAt) {
		brief, err := g.export(ctx, catalog, of, true)
		if err != nil {
			return nil, err
		}
		e.brief, e.briefAt = brief, time.Now()
	}
	return e.brief, nil
}

// briefs returns what a listing needs to know of each offer, as seen from a
// node; nil where names clash. A site may have thousands of images, and most of
// the time goes into looking at files, so all cores do.
func (g *gallery) briefs(ctx context.Context, catalog *xcat.Catalog, node string, offers []xcat.Offer) ([]*xcat.Export, error) {
	defer g.listings.begin()()
	list := make([]*xcat.Export, len(offers))
	work, ctx := errgroup.WithContext(ctx)
	share := (len(offers) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	for from := 0; from < len(offers); from += share {
		work.Go(func() (err error) {
			for i := from; i < min(from+share, len(offers)) && err == nil; i++ {
				if offers[i].Clash == nil {
					list[i], err = g.brief(ctx, catalog, exhibit{node, offers[i].Image})
				}
			}
			return err
		})
	}
	return list, work.Wait()
}

// present returns the present version of an exhibit. As long as neither rows
// nor sources change, it is the same one.
func (g *gallery) present(ctx context.Context, of exhibit) (*version, error) {
	catalog, _, err := g.look(ctx)
	if err != nil {
		return nil, err
	}
	e, done, err := g.hold(ctx, of)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := g.renew(ctx, catalog, of, e); err != nil {
		return nil, err
	}
	e.wanted = true
	return e.version, nil
}

// renew makes sure that the entry of an exhibit, whose turn the caller has,
// holds the present version.
func (g *gallery) renew(ctx context.Context, catalog *xcat.Catalog, of exhibit, e *entry) (err error) {
	if e.version != nil && g.fresh(e.at) {
		return nil
	}
	export := e.brief
	if export == nil || !g.fresh(e.briefAt) || hasTree(catalog, of.image) {
		if export, err = g.export(ctx, catalog, of, false); err != nil {
			return err
		}
	}
	state := fingerprint(export)
	if e.version == nil || e.version.broken() || e.version.fingerprint != state {
		e.version, e.wanted = newVersion(g.engine, g.numbers, export, state), false
	}
	e.at = time.Now()
	return nil
}

// borrow returns the present version of an exhibit to the warmer. Whoever
// asks meanwhile gets the same one, so that nothing is done twice. The warmer
// gives it back with the function returned, and then it is forgotten unless
// somebody did ask, or is about to: it may be large, and there may be thousands.
func (g *gallery) borrow(ctx context.Context, of exhibit) (*version, func(), error) {
	catalog, _, err := g.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	e, done, err := g.hold(ctx, of)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if err := g.renew(ctx, catalog, of, e); err != nil {
		return nil, nil, err
	}
	large := hasTree(catalog, of.image)
	return e.version, func() { g.giveBack(e, large) }, nil
}

// giveBack forgets a version that only the warmer has seen. One that is not
// large stays if it has been listed a moment ago: attributes are asked for next.
func (g *gallery) giveBack(e *entry, large bool) {
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	listed := e.brief != nil && g.fresh(e.briefAt)
	if !e.wanted && (large || !listed) {
		e.version, e.at = nil, time.Time{}
	}
}

// known returns the present version of an exhibit if it need not be looked for,
// and nil otherwise.
func (g *gallery) known(of exhibit) *version {
	g.mu.Lock()
	e := g.entries[of]
	g.mu.Unlock()
	if e == nil {
		return nil
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	default:
		return nil // somebody is looking for it now
	}
	if e.version == nil || !g.fresh(e.at) {
		return nil
	}
	return e.version
}

// hasTree reports whether an image's brief export lacks something.
func hasTree(catalog *xcat.Catalog, image string) bool {
	row, _ := catalog.OSImage(image)
	return row["provmethod"] == "statelite"
}

// distrust has the next look at an exhibit go to the site, for v does not hold
// any more.
func (g *gallery) distrust(ctx context.Context, of exhibit, v *version) {
	e, done, err := g.hold(ctx, of)
	if err != nil {
		return
	}
	defer done()
	if e.version == v {
		e.at = time.Time{}
	}
}

// withdraw replaces a version whose bundle cannot be read after all.
func (g *gallery) withdraw(ctx context.Context, of exhibit, v *version, because error) {
	e, done, err := g.hold(ctx, of)
	if err != nil {
		return
	}
	defer done()
	if e.version == v {
		e.version = v.without(because)
	}
}

func (g *gallery) export(ctx context.Context, catalog *xcat.Catalog, of exhibit, shallow bool) (*xcat.Export, error) {
	export, err := catalog.Export(ctx, g.site.Root(), xcat.Request{Image: of.image, Node: of.node, Shallow: shallow})
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", of.image, err)
	}
	return export, nil
}
