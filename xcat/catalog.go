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

// Dump reads the tables of a site that exports use as xCAT's tabdump would write them.
func Dump(ctx context.Context, cfg Config) ([]NamedDump, error) { return db.Dump(ctx, cfg) }

// Catalog is a snapshot of the visible rows of a site, arranged for exports. It never
// changes, and is safe for use by several goroutines.
type Catalog struct {
	images     []string // byte order
	osimage    rowIndex
	linuximage rowIndex

	kit       rowIndex
	kitOf     rowIndex // kit components by name
	repos     rowIndex // of a kit, by kitreponame
	comps     rowIndex // of a kit, by kitcompname
	litefiles rowIndex // of an image, a group, or ALL, by file

	nodes       *noderange.Nodes
	dynamic     map[string]bool // groups whose nodes only xcatd can find
	postscripts rowIndex        // of a node, a group, or xcatdefaults
	site        map[string]string
}

// newCatalog arranges the rows of tables.
func newCatalog(tables db.Tables) *Catalog {
	rows := func(table string) []Row { return tables[table].Visible() }
	c := &Catalog{
		osimage:     newRowIndex(tables["osimage"], "imagename", "imagename"),
		linuximage:  newRowIndex(tables["linuximage"], "imagename", "imagename"),
		kit:         newRowIndex(tables["kit"], "kitname", "kitname"),
		kitOf:       newRowIndex(tables["kitcomponent"], "kitcompname", "kitcompname"),
		repos:       newRowIndex(tables["kitrepo"], "kitname", "kitreponame"),
		comps:       newRowIndex(tables["kitcomponent"], "kitname", "kitcompname"),
		litefiles:   newRowIndex(tables["litefile"], "image", "file"),
		postscripts: newRowIndex(tables["postscripts"], "node", "node"),
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
	c.images = c.osimage.values()
	return c
}

// Images returns the names of the images that have a visible row in the table
// osimage, in byte order, as the table spells them.
func (c *Catalog) Images() []string { return slices.Clone(c.images) }

// HasImage reports whether Images has the name.
func (c *Catalog) HasImage(name string) bool {
	_, found := slices.BinarySearch(c.images, name)
	return found
}

// NodeNames returns the names of the nodes in byte order.
func (c *Catalog) NodeNames() []string { return c.nodes.Names() }

// OSImage returns the image's row in the table osimage. Its imagename may differ from image
// where the database takes both for equal.
func (c *Catalog) OSImage(image string) (Row, bool) {
	row, ok := c.osimage.one(image)
	return maps.Clone(row), ok
}

// installDir is where a site keeps what it installs.
func (c *Catalog) installDir() string {
	if dir := c.site["installdir"]; isSet(dir) {
		return dir
	}
	return "/install"
}

// hierarchical returns the delimiters of the node attributes whose values are
// collected from a node and all its groups, by name: site.hierarchicalattrs
// is a list of "attribute" and "attribute:delimiter".
func (c *Catalog) hierarchical() map[string]string {
	delims := map[string]string{}
	for _, part := range splitList(c.site["hierarchicalattrs"], ",") {
		attr, delim, _ := strings.Cut(part, ":")
		delims[strings.TrimSpace(attr)] = cmp.Or(strings.TrimSpace(delim), ",")
	}
	return delims
}
