package fs

import (
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/blocks"
	"imgexportfs/xcat"
)

// outline is what a look has found of an image, before a plan is made of it. Of an image
// without a tree a brief look finds all that a full one would. So it tells whether the version
// is still the present one, and otherwise the outline is kept, in the budget: the ls -l that
// has listed the names looks at each bundle next.
type outline struct {
	export *xcat.Export
	serial uint64        // of the rows
	at     time.Time     // all of it was so then, or later
	share  *blocks.Share // nil until it is kept
}

// newOutline looks at the files of an image by the rows r.
func (vs *versions) newOutline(r rows, req xcat.Request) (*outline, error) {
	at := time.Now()
	export, err := r.catalog.Export(vs.life, vs.site.Root(), req)
	if err == nil {
		err = export.Unreadable
	}
	if err != nil {
		return nil, err
	}
	return &outline{export: export, serial: r.serial, at: at}, nil
}

// isOf reports whether the outline is that of v.
func (o *outline) isOf(v *version) bool {
	return v != nil && v.fingerprint == fingerprint(o.export)
}

// takeUpOutline uses what a brief look has found of a view without a tree. The version is the
// present one if it is same, which the outline is of. The caller holds mu.
func (vs *versions) takeUpOutline(k *known, found *outline, same *version) {
	k.dropOutline()
	if same == nil || k.version != same {
		found.share = vs.engine.Budget().Add(found.memory(), func() { k.outline.CompareAndSwap(found, nil) })
		k.outline.Store(found)
		found.share.Release()
		return
	}
	k.serial = max(k.serial, found.serial)
	if found.at.After(k.at) {
		k.at = found.at
	}
}

// takeOutline returns the outline of a view if it is by the rows r and not older than since,
// or nil. It is kept no longer: it goes into a plan. The caller holds mu.
func (k *known) takeOutline(r rows, since time.Time) *outline {
	o := k.dropOutline()
	if o == nil || o.serial != r.serial || o.at.Before(since) {
		return nil
	}
	return o
}

// dropOutline returns what it drops, or nil.
func (k *known) dropOutline() *outline {
	o := k.outline.Swap(nil)
	if o != nil {
		o.share.Forget()
	}
	return o
}

// memory is about how many bytes the outline takes.
func (o *outline) memory() int64 {
	const fixed, member, message = 1 << 10, 400, 100
	n := int64(fixed + member*len(o.export.Members) + message*len(o.export.Messages))
	for _, m := range o.export.Members {
		if made, isMade := m.Content.(bundle.Bytes); isMade {
			n += made.Size()
		}
	}
	return n
}
