package fs

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/blocks"
)

// summary is what a listing keeps of a view: which of its files there are. A
// brief look finds it, which walks no tree.
type summary struct {
	serial  uint64    // of the rows that it was found by
	at      time.Time // when the files were looked at for it; zero if never
	modTime time.Time // of the directory
	refused bool      // there is no bundle
	faults  bool      // there is a .errors file
}

// briefSlot is how long a brief look may keep its slot: one that takes longer
// waits for a disk or a file server, and the cores are free for another.
const briefSlot = 50 * time.Millisecond

// newSlots makes as many slots as keep all cores busy.
func newSlots() chan struct{} { return make(chan struct{}, 2*runtime.GOMAXPROCS(0)) }

// summaries returns what a listing needs to know of each offer, as seen from a
// node. A site may have thousands of images, and most of the time goes into
// looking at files, so all cores do.
func (vs *versions) summaries(ctx context.Context, r rows, node string) ([]summary, error) {
	offers := r.names.offers
	list, looks := make([]summary, len(offers)), make([]*look, len(offers))
	for i := range offers {
		if offers[i].Clash != nil {
			continue
		}
		var err error
		if list[i], looks[i], err = vs.joinBrief(ctx, r, view{node, offers[i].Image}); err != nil {
			return nil, err
		}
	}
	for i, l := range looks {
		if l == nil {
			continue
		}
		var err error
		if list[i], err = vs.found(ctx, l); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// summary returns the summary of one view.
func (vs *versions) summary(ctx context.Context, r rows, of view) (summary, error) {
	s, l, err := vs.joinBrief(ctx, r, of)
	if err != nil || l == nil {
		return s, err
	}
	return vs.found(ctx, l)
}

// joinBrief returns the summary of a view if it is fresh, and otherwise the
// brief look that is in progress or a new one; none if there are too many.
func (vs *versions) joinBrief(ctx context.Context, r rows, of view) (summary, *look, error) {
	if s, l, ok := vs.brief(r, of, false); ok {
		return s, l, nil
	}
	enough := time.NewTimer(briefPatience)
	defer enough.Stop()
	select {
	case vs.slots <- struct{}{}:
		s, l, _ := vs.brief(r, of, true)
		return s, l, nil
	case <-enough.C: // all hang; the look that another caller will begin is good for the next listing
	case <-ctx.Done():
		return summary{}, nil, ctx.Err()
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.entry(of).shown(), nil, nil
}

// brief is joinBrief for a caller that has a slot or not. It reports whether it
// could do without.
func (vs *versions) brief(r rows, of view, hasSlot bool) (s summary, l *look, ok bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	k := vs.entry(of)
	switch {
	case k.summary.serial >= r.serial && time.Since(k.summary.at) < vs.refresh:
		s, ok = k.shown(), true
	case k.brief != nil:
		l, ok = k.brief, true
	case vs.looks >= looksMax:
		s, ok = k.shown(), true
	case hasSlot:
		l = &look{of: of, rows: r, began: time.Now(), done: make(chan struct{})}
		k.brief = l
		vs.looks++
		go vs.runBrief(k, l, k.version)
		return s, l, true
	}
	if hasSlot {
		<-vs.slots
	}
	return s, l, ok
}

// shown is the summary with what the last walk through the tree has found. The
// caller holds versions.mu.
func (k *known) shown() summary {
	s := k.summary
	s.refused, s.faults = s.refused || k.treeRefused, s.faults || k.treeFaults
	return s
}

// runBrief makes the summary of a view. It has a slot.
func (vs *versions) runBrief(k *known, l *look, before *version) {
	timer := time.AfterFunc(briefSlot, func() { <-vs.slots })
	var found *outline
	l.err = blocks.Guarded(vs.log, "look at image "+l.of.image, func() (err error) {
		req := vs.requested(l.of)
		req.Shallow = true
		if found, err = vs.newOutline(l.rows, req); err == nil && !found.isOf(before) {
			before = nil
		}
		return err
	})
	if timer.Stop() {
		<-vs.slots
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	defer close(l.done)
	vs.looks--
	k.brief = nil
	if l.err == nil {
		k.summary = summary{
			serial: l.rows.serial, at: found.at, modTime: briefTime(found.export.Members),
			refused: found.export.Refused, faults: len(found.export.Problems()) > 0,
		}
		if !l.rows.hasTree(l.of.image) {
			k.treeRefused, k.treeFaults = false, false
			vs.takeUpOutline(k, found, before)
		}
	}
	l.summary = k.shown()
	vs.forgetIfGone(l.rows, l.of, k)
}

// found returns what a brief look has found. While files hang or cannot be
// read it is what was known last; an image of which nothing is known has its
// bundle.
func (vs *versions) found(ctx context.Context, l *look) (summary, error) {
	err := vs.wait(ctx, l, briefPatience)
	if err == nil {
		return l.summary, nil
	}
	if !isTimeout(err) {
		return summary{}, fmt.Errorf("list image %s: %w", l.of.image, err)
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.entry(l.of).shown(), nil
}

// briefTime is the time of the newest member, the tree of a statelite image
// aside, which a listing must not walk.
func briefTime(members []bundle.Member) time.Time {
	var files []bundle.Member
	for _, m := range members {
		if _, isTree := m.Content.(*bundle.Tree); !isTree {
			files = append(files, m)
		}
	}
	return bundle.Newest(files)
}
