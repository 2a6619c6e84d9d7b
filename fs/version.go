package fs

import (
	"sync/atomic"
	"time"

	"imgexportfs/bundle"
)

// view is an image as seen from a node; node is "" in the root folder.
type view struct{ node, image string }

// version is what stays in memory of one state of a view: enough for stat and
// for telling it from the next one. The rest is its plan.
type version struct {
	view        view
	name        string
	fingerprint [32]byte
	attempt     uint64 // tells versions of one fingerprint apart of which one has shown a wrong size
	refused     bool   // there is no bundle
	modTime     time.Time
	errors      string // text of NAME.errors

	size atomic.Int64         // of the bundle; -1 as long as it is not known
	plan atomic.Pointer[plan] // nil if it was dropped

	distrusted time.Time // when reading showed that it is not the present one; zero if not; guarded by versions.mu
}

// newVersion takes over the plan.
func newVersion(of view, p *plan, attempt uint64) *version {
	v := &version{
		view: of, name: p.name, fingerprint: p.fingerprint, attempt: attempt,
		refused: p.bundle == nil, modTime: p.modTime, errors: p.errors,
	}
	v.size.Store(-1)
	return v
}

// use returns the plan if it is there. The caller releases it.
func (v *version) use() *plan {
	if p := v.plan.Load(); p != nil && p.share.Use() {
		return p
	}
	return nil
}

// isSame reports whether all files of v and w have the same bytes.
func (v *version) isSame(w *version) bool {
	return v.fingerprint == w.fingerprint && v.attempt == w.attempt
}

// key is the inode key of a file of the version.
func (v *version) key(r role, name string) inodeKey {
	return inodeKey{role: r, view: v.view, fingerprint: v.fingerprint, attempt: v.attempt, name: name}
}

// undated is the time of what has no source whose time it could have.
var undated = bundle.Newest(nil)
