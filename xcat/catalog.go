package xcat

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"imgexportfs/xcat/db"
	"imgexportfs/xcat/noderange"
)

// What users of a site need of package db.
type (
	Site      = db.Site[Catalog]
	Config    = db.Config
	Status    = db.Status
	NamedDump = db.NamedDump
	Row       = db.Row
)

// OpenSite opens a site and reads its rows.
func OpenSite(ctx context.Context, cfg Config) (*Site, error) { return db.Open(ctx, cfg, newCatalog) }

// Catalog is a snapshot of the visible rows of a site, arranged for exports. It never
// changes, and is safe for use by several goroutines.
type Catalog struct {
	images     []string // byte order
	osimage    map[string]Row
	linuximage map[string]Row

	kit       map[string]Row
	kitOf     map[string]Row   // kit components by name
	repos     map[string][]Row // of a kit, by kitreponame
	comps     map[string][]Row // of a kit, by kitcompname
	litefiles map[string][]Row // of an image, a group, or ALL, by file

	nodes       *noderange.Nodes
	dynamic     map[string]bool // groups whose nodes only xcatd can find
	postscripts map[string]Row  // of a node, a group, or xcatdefaults
	site        map[string]string
}

// newCatalog arranges the rows of tables.
func newCatalog(tables db.Tables) *Catalog {
	rows := func(table string) []Row { return tables[table].Visible() }
	c := &Catalog{
		osimage:     byKey(rows("osimage"), "imagename"),
		linuximage:  byKey(rows("linuximage"), "imagename"),
		kit:         byKey(rows("kit"), "kitname"),
		kitOf:       byKey(rows("kitcomponent"), "kitcompname"),
		repos:       grouped(rows("kitrepo"), "kitname", "kitreponame"),
		comps:       grouped(rows("kitcomponent"), "kitname", "kitcompname"),
		litefiles:   grouped(rows("litefile"), "image", "file"),
		postscripts: byKey(rows("postscripts"), "node"),
		site:        map[string]string{},
	}
	groups := map[string]string{}
	for _, row := range rows("nodelist") {
		if row["node"] != "" {
			groups[row["node"]] = row["groups"]
		}
	}
	c.dynamic = dynamicGroups(rows("nodegroup"))
	c.nodes = noderange.NewNodes(groups)
	for _, row := range rows("site") {
		if row["key"] != "" {
			c.site[row["key"]] = row["value"]
		}
	}
	c.images = slices.Sorted(maps.Keys(c.osimage))
	return c
}

// Images returns the names of the images that have a visible row in the table
// osimage, in byte order, as the table spells them.
func (c *Catalog) Images() []string { return slices.Clone(c.images) }

// OSImage returns the image's row in the table osimage.
func (c *Catalog) OSImage(image string) (Row, bool) {
	row, ok := c.osimage[image]
	return maps.Clone(row), ok
}

// installDir is where a site keeps what it installs.
func (c *Catalog) installDir() string {
	if dir := c.site["installdir"]; isSet(dir) {
		return dir
	}
	return "/install"
}

// byKey maps rows by their key. Rows without a key are left out.
func byKey(rows []Row, key string) map[string]Row {
	m := make(map[string]Row, len(rows))
	for _, row := range rows {
		if row[key] != "" {
			m[row[key]] = row
		}
	}
	return m
}

// grouped maps rows by the column by, each group in byte order of the column order. Rows
// without one of the two are left out.
func grouped(rows []Row, by, order string) map[string][]Row {
	m := map[string][]Row{}
	for _, row := range rows {
		if row[by] != "" && row[order] != "" {
			m[row[by]] = append(m[row[by]], row)
		}
	}
	for _, group := range m {
		slices.SortStableFunc(group, func(a, b Row) int { return cmp.Compare(a[order], b[order]) })
	}
	return m
}

// hierarchical returns the delimiters of the node attributes whose values are
// collected from a node and all its groups, by name: site.hierarchicalattrs
// is a list of "attribute" and "attribute:delimiter".
func (c *Catalog) hierarchical() map[string]string {
	delims := map[string]string{}
	for _, part := range splitList(c.site["hierarchicalattrs"], ",") {
		attr, delim, _ := strings.Cut(strings.TrimSpace(part), ":")
		if delim == "" {
			delim = ","
		}
		delims[attr] = delim
	}
	return delims
}
