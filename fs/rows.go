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

// look returns the present rows.
func (vs *versions) look(ctx context.Context) (rows, error) {
	for {
		catalog, err := vs.site.Catalog(ctx)
		if err != nil {
			return rows{}, err
		}
		if r, ok := vs.takeUp(catalog); ok {
			return r, nil
		}
	}
}

// takeUp makes the catalog the present one. It reports false if there are newer
// rows by now, which it must not replace.
func (vs *versions) takeUp(catalog *xcat.Catalog) (rows, bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	seen := vs.site.Seen(catalog)
	if seen.IsZero() {
		return rows{}, false
	}
	if catalog != vs.rows.catalog {
		old := vs.rows.names
		vs.rows = rows{catalog: catalog, names: newNameTable(catalog.Images()), serial: vs.rows.serial + 1}
		vs.forgetGone()
		vs.warmer.add(vs.rows.names.news(old))
	}
	vs.rows.seen = seen
	return vs.rows, true
}

// hasTree reports whether an image's brief export lacks something.
func (r rows) hasTree(image string) bool {
	row, _ := r.catalog.OSImage(image)
	return row["provmethod"] == "statelite"
}
