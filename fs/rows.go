package fs

import (
	"context"
	"time"

	"imgexportfs/xcat"
)

// rows is one state of the tables.
type rows struct {
	catalog *xcat.Catalog
	names   *nameTable
	serial  uint64    // grows with each state
	seen    time.Time // they were the present ones then
}

// look returns the present rows. Rows never replace newer ones: those that
// were got while another caller has taken up rows are got again.
func (vs *versions) look(ctx context.Context) (rows, error) {
	for {
		vs.mu.Lock()
		before := vs.rows.serial
		vs.mu.Unlock()
		// What the last look at the rows has found may be what Catalog returns,
		// while it has begun another one.
		seen := vs.site.Status().Looked
		catalog, err := vs.site.Catalog(ctx)
		if err != nil {
			return rows{}, err
		}
		if r, ok := vs.takeUp(catalog, before, seen); ok {
			return r, nil
		}
	}
}

// takeUp makes the catalog the present one. It reports false if other rows
// than those with the serial number before are the present ones now.
func (vs *versions) takeUp(catalog *xcat.Catalog, before uint64, seen time.Time) (rows, bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if catalog != vs.rows.catalog {
		if vs.rows.serial != before {
			return rows{}, false
		}
		old := vs.rows.names
		vs.rows = rows{catalog: catalog, names: newNameTable(catalog.Images()), serial: before + 1}
		vs.forgetGone()
		vs.warmer.add(vs.rows.names.news(old))
	}
	if seen.After(vs.rows.seen) {
		vs.rows.seen = seen
	}
	return vs.rows, true
}

// hasTree reports whether an image's brief export lacks something.
func (r rows) hasTree(image string) bool {
	row, _ := r.catalog.OSImage(image)
	return row["provmethod"] == "statelite"
}
