// Package db makes the tables of a site of what a cfgloc names, again when the
// rows have changed:
//
//	cfgloc ─ Spec ─ Backend ─ Tables ─ Site
//
// A Spec says where a database is (cfgloc.go, params.go). There is a Backend for
// each kind of database: files, one for each table (tablefiles.go), of SQLite
// (sqlite.go) and of dumps (dumps.go); and servers (server.go, server_read.go),
// MySQL (mysql.go) and PostgreSQL (postgres.go). A Site reads all tables as a
// snapshot (site.go), looks for changes in the background (look.go), and goes on
// with the rows it has when the database is lost (status.go).
//
// The package knows the columns that xCAT has (tables.go), and nothing of what
// an export makes of them.
package db
