package fs

import (
	"container/list"
	"sync/atomic"
	"time"
)

// known is what is known of a view. All of it is guarded by versions.mu, but for outline,
// which the budget may drop at any time.
type known struct {
	summary summary
	outline atomic.Pointer[outline] // for the next full look, or nil
	version *version                // nil before the first full look

	serial uint64    // of the rows that the version was found by
	at     time.Time // when the files were last found as in the version

	// What the last walk through the tree has found counts in summaries,
	// which are made without one, until the next walk.
	treeRefused, treeFaults bool

	full, brief *look         // in progress, or nil
	place       *list.Element // in ofNodes, or nil
}

// nodeViewsMax is how many views of nodes are remembered, about 4 MB. Any user
// may ask for each of the site's nodes and images.
const nodeViewsMax = 10_000

// isTrusted reports whether there is a version that a look has found since the last doubt. A
// look that began before the doubt does not count, also if it ended after it. The caller holds
// versions.mu.
func (k *known) isTrusted() bool { return k.version != nil && !k.at.Before(k.version.distrusted) }

// distrusted is when the version was distrusted; zero if it was not, or there is none. The
// caller holds versions.mu.
func (k *known) distrusted() time.Time {
	if k.version == nil {
		return time.Time{}
	}
	return k.version.distrusted
}

// forgetGone drops what belongs to images that are no more. The caller holds mu.
func (vs *versions) forgetGone() {
	for of, k := range vs.known {
		vs.forgetIfGone(vs.rows, of, k)
	}
}

// forgetIfGone drops what is known of a view whose image has no row. If it had one again
// while files hang, it would be shown as refused. The caller holds mu.
func (vs *versions) forgetIfGone(r rows, of view, k *known) {
	if !r.catalog.HasImage(of.image) && vs.known[of] == k {
		vs.forget(of, k)
	}
}

func (vs *versions) forget(of view, k *known) {
	delete(vs.known, of)
	k.dropOutline()
	if k.place != nil {
		vs.ofNodes.Remove(k.place)
	}
}

// entry returns what is known of a view. The caller holds mu.
func (vs *versions) entry(of view) *known {
	k := vs.known[of]
	switch {
	case k == nil:
		k = &known{}
		vs.known[of] = k
		if of.node == "" {
			break
		}
		k.place = vs.ofNodes.PushFront(of)
		if vs.ofNodes.Len() > nodeViewsMax {
			oldest := vs.ofNodes.Back().Value.(view)
			vs.forget(oldest, vs.known[oldest])
		}
	case k.place != nil:
		vs.ofNodes.MoveToFront(k.place)
	}
	return k
}
