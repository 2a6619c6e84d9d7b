package xcat

import (
	"context"
	"fmt"

	"imgexportfs/bundle/source"
)

// Version stands for one state of a database. Two states with equal versions
// hold the same rows.
type Version string

// Backend reads the tables of a site from one kind of database, and never
// writes. Its methods are called by one goroutine at a time.
type Backend interface {
	// Load reads all tables of the schema that the database has, and
	// returns the version of what it read.
	Load(ctx context.Context) (Tables, Version, error)
	// Version returns the version of the present state, at the cost of a
	// look, not of a reading.
	Version(ctx context.Context) (Version, error)
	// Close releases what the back end holds.
	Close() error
}

// openBackend returns the back end for a database. Nothing is opened yet.
func openBackend(root *source.Root, spec Spec) (Backend, error) {
	switch spec.Kind {
	case SQLite:
		return newSQLiteBackend(root, spec.Place), nil
	case MySQL:
		return openMySQL(spec)
	case PostgreSQL:
		return openPostgreSQL(spec)
	case CSV:
		return newCSVBackend(root, spec.Place), nil
	}
	return nil, fmt.Errorf("the site's database is of kind %s, which imgexportfs cannot read: it reads SQLite, mysql, Pg and CSV; "+
		"name one of these by --cfgloc", spec.Kind)
}
