package db

import (
	"context"
	"database/sql"
	"slices"
)

// tableSpec is what this package reads of one table.
type tableSpec struct {
	name     string
	columns  []string // those of xCAT's schema, in its order; the first is the key
	required bool     // no site is without it; imgexport creates the others when they are missing
	unused   []string // columns that no export depends on, and that xcatd writes all the time; dumps hold them
}

// schema lists the tables that imgexport reads, with the columns that imgimport knows.
// Other columns do not get into a manifest (docs/rules.md, section 2).
var schema = []tableSpec{
	{name: "osimage", required: true, columns: []string{
		"imagename", "groups", "profile", "imagetype", "description", "provmethod", "rootfstype",
		"nfsrootopts", "osdistroname", "osupdatename", "cfmdir", "osname", "osvers", "osarch",
		"synclists", "postscripts", "postbootscripts", "serverrole", "isdeletable", "kitcomponents",
		"environvar", "comments", "disable"}},
	{name: "linuximage", required: true, columns: []string{
		"imagename", "template", "boottarget", "addkcmdline", "pkglist", "pkgdir", "otherpkglist",
		"otherpkgdir", "exlist", "postinstall", "rootimgdir", "kerneldir", "nodebootif", "otherifce",
		"netdrivers", "kernelver", "krpmver", "permission", "dump", "crashkernelsize",
		"partitionfile", "driverupdatesrc", "comments", "disable"}},
	{name: "kit", columns: []string{
		"kitname", "basename", "description", "version", "release", "ostype", "isinternal",
		"kitdeployparams", "kitdir", "comments", "disable"}},
	{name: "kitrepo", columns: []string{
		"kitreponame", "kitname", "osbasename", "osmajorversion", "osminorversion", "osarch",
		"compat_osbasenames", "kitrepodir", "comments", "disable"}},
	{name: "kitcomponent", columns: []string{
		"kitcompname", "description", "kitname", "kitreponame", "basename", "version", "release",
		"serverroles", "kitpkgdeps", "prerequisite", "driverpacks", "kitcompdeps",
		"postbootscripts", "genimage_postinstall", "exlist", "comments", "disable"}},
	{name: "litefile", columns: []string{"image", "file", "options", "comments", "disable"}},
	{name: "postscripts", columns: []string{"node", "postscripts", "postbootscripts", "comments", "disable"}},
	{name: "nodelist", columns: []string{
		"node", "groups", "status", "statustime", "appstatus", "appstatustime", "primarysn", "hidden",
		"updatestatus", "updatestatustime", "zonename", "comments", "disable"},
		unused: []string{"status", "statustime", "appstatus", "appstatustime", "updatestatus", "updatestatustime"}},
	{name: "nodegroup", columns: []string{
		"groupname", "grouptype", "members", "membergroups", "wherevals", "comments", "disable"}},
	{name: "site", columns: []string{"key", "value", "comments", "disable"}},
}

// Table is what a back end reads of one table: the columns of the schema that
// the database has, and the rows as they are stored, whether visible or not.
type Table struct {
	Columns    []string
	Rows       [][]sql.NullString   // one value a column
	Collations map[string]Collation // of columns whose values are not compared byte by byte
}

// Tables are the tables of one state of a database, by name. A table that the
// database does not have is absent.
type Tables map[string]Table

// Row holds the values of the columns that imgexport exports, by name: a
// column that is NULL, empty, or a lone newline is absent.
type Row map[string]string

// Visible returns the rows that are not disabled.
func (t Table) Visible() []Row {
	disable := slices.Index(t.Columns, "disable")
	collation := t.Collations["disable"]
	var enabled []string
	for _, value := range enabling {
		enabled = append(enabled, collation.Key(value))
	}
	rows := make([]Row, 0, len(t.Rows))
	for _, values := range t.Rows {
		if disable >= 0 && values[disable].Valid && !slices.Contains(enabled, collation.Key(values[disable].String)) {
			continue
		}
		rows = append(rows, t.row(values))
	}
	return rows
}

// row returns the values that a row has. Most columns of most rows have none, so the
// map is made for those that do: 10,000 images took 24 MB otherwise.
func (t Table) row(values []sql.NullString) Row {
	has := func(v sql.NullString) bool { return v.Valid && v.String != "" && v.String != "\n" }
	n := 0
	for _, v := range values {
		if has(v) {
			n++
		}
	}
	row := make(Row, n)
	for i, v := range values {
		if has(v) {
			row[t.Columns[i]] = v.String
		}
	}
	return row
}

// enabling are the values of disable with which a row is visible, apart from NULL. The
// spellings are xCAT's own; even an empty string, which its commands never store, hides a row.
var enabling = []string{"0", "no", "NO", "No", "nO"}

// Version stands for one state of a database. Two states with equal versions
// hold the same rows.
type Version string

// Backend reads the tables of a site from one kind of database, and never
// writes. Its methods are called by one goroutine at a time.
type Backend interface {
	// Load reads all tables of the schema that the database has, and
	// returns the version of what it read.
	Load(ctx context.Context) (Tables, Version, error)
	// Version returns the version of the present state, without reading all rows.
	Version(ctx context.Context) (Version, error)
	// Close releases what the back end holds.
	Close() error
}
