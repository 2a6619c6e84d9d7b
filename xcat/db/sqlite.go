package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"imgexportfs/bundle/source"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteBackend reads a site as xCAT lays it out for SQLite: a directory with
// one file TABLE.sqlite for each table. Files are open only while they are
// read, read-only, and under SQLite's own locks, so xcatd can write at any
// time.
type sqliteBackend struct {
	tableFiles
	lockWait time.Duration        // how long to wait for a lock of another program
	read     map[string]readTable // what Load has read, by table
}

// readTable is a table and the state of its files before it was read.
type readTable struct {
	table   Table
	absent  bool // the file holds no such table
	state   fileState
	settled bool
	unsafe  bool // read without locks: worthless if the files changed meanwhile
}

// defaultLockWait is longer than xcatd holds a lock for any change of its own.
const defaultLockWait = 5 * time.Second

func newSQLiteBackend(root *source.Root, dir string) *sqliteBackend {
	return &sqliteBackend{
		tableFiles: newTableFiles(root, dir, SQLite),
		lockWait:   defaultLockWait,
		read:       map[string]readTable{},
	}
}

// Load reads the tables whose files have changed since the last time, and again those
// that change while it reads, so that all are of one moment. If files change each time
// it takes what it has: each table is consistent in itself, as for imgexport, and the
// version makes the next look read again.
func (b *sqliteBackend) Load(ctx context.Context) (Tables, Version, error) {
	tables, states, rested, err := b.readAtRest(ctx, b.readAll)
	if err != nil {
		return nil, "", err
	}
	if rested {
		return tables, b.version(states), nil
	}
	for name, state := range states {
		if b.read[name].unsafe && b.read[name].state != state {
			return nil, "", fmt.Errorf("%s changes all the time while it is read without locks: try again when no program writes to it", b.file(name))
		}
	}
	return tables, b.unique("unsettled"), nil
}

// readAll returns the tables in the given states, reading those that are not
// known yet.
func (b *sqliteBackend) readAll(ctx context.Context, states map[string]fileState) (Tables, error) {
	tables := make(Tables, len(schema))
	for _, t := range schema {
		state, found := states[t.name]
		if !found {
			delete(b.read, t.name)
			continue
		}
		have, known := b.read[t.name]
		if !known || have.state != state || !have.settled {
			settled := isSettled(state, b.now())
			var err error
			if have, err = b.readTable(ctx, t, state); err != nil {
				return nil, fmt.Errorf("table %s: %w", t.name, err)
			}
			have.settled = settled
			b.read[t.name] = have
		}
		if !have.absent {
			tables[t.name] = have.table
		}
	}
	return tables, nil
}

// A header is the start of every SQLite database; bytes 18 and 19 say how it is
// written: 1 is with a rollback journal, 2 with a write-ahead log.
const (
	headerMagic = "SQLite format 3\x00"
	headerSize  = 20
	walFormat   = 2
)

// readTable reads one table file, whose state was as given.
func (b *sqliteBackend) readTable(ctx context.Context, t tableSpec, state fileState) (readTable, error) {
	file := b.file(t.name)
	header, err := b.header(file)
	if err != nil {
		return readTable{}, err
	}
	result := readTable{state: state, absent: true}
	// SQLite takes an empty file for a database without tables.
	if len(header) > 0 {
		if !strings.HasPrefix(header, headerMagic) || len(header) < headerSize {
			return readTable{}, fmt.Errorf("%s is not an SQLite database: restore it from a backup, for example with xCAT's restorexCATdb", file)
		}
		real, err := b.root.RealPath(file)
		if err != nil {
			return readTable{}, err
		}
		result.unsafe = header[19] == walFormat && mustReadWithoutLocks(real, state)
		result.table, err = queryTable(ctx, b.dsn(real, result.unsafe), t)
		if err != nil {
			return readTable{}, b.explain(err, file)
		}
		result.absent = len(result.table.Columns) == 0
	}
	switch {
	case result.absent && t.required:
		return readTable{}, fmt.Errorf("%s holds no table %s: restore it from a backup, for example with xCAT's restorexCATdb", file, t.name)
	case !result.absent && result.table.Columns[0] != t.columns[0]:
		return readTable{}, fmt.Errorf("%s has no column %s, so it is not a table of xCAT: name the directory of the site's tables by --cfgloc", file, t.columns[0])
	}
	return result, nil
}

// header returns the first bytes of a table file. It is read and closed before
// SQLite opens the file, because closing it later would drop SQLite's locks.
func (b *sqliteBackend) header(file string) (string, error) {
	f, err := b.root.Open(file)
	if err != nil {
		return "", hint(err)
	}
	defer func() { _ = f.Close() }()
	buf := make([]byte, headerSize)
	n, err := io.ReadFull(f, buf)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	return string(buf[:n]), nil
}

// mustReadWithoutLocks decides for a database with a write-ahead log. To read
// it under locks SQLite wants a file -shm beside it, and makes one if there is
// none. This program does not write into a site, and on a read-only disk it could not.
// With an empty log the database itself is complete; without -shm no program has it
// open. Load notices if that changes while it reads.
func mustReadWithoutLocks(file string, state fileState) bool {
	if state.wal != (source.Identity{}) {
		return false
	}
	var st unix.Stat_t
	if err := unix.Lstat(file+"-shm", &st); err != nil {
		return true
	}
	return unix.Access(path.Dir(file), unix.W_OK) != nil
}

// dsn names a database file for package sqlite.
func (b *sqliteBackend) dsn(file string, withoutLocks bool) string {
	query := url.Values{
		"mode":         {"ro"},
		"readonly_shm": {"1"},
		"_pragma":      {"busy_timeout(" + strconv.FormatInt(b.lockWait.Milliseconds(), 10) + ")", "trusted_schema(0)"},
	}
	if withoutLocks {
		query.Set("immutable", "1")
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + query.Encode()
}

// queryTable reads the columns of the schema that the table has. A table
// without columns is not there.
func queryTable(ctx context.Context, dsn string, t tableSpec) (Table, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return Table{}, err
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return Table{}, err
	}
	defer func() { _ = conn.Close() }()

	columns, err := tableColumns(ctx, conn, t)
	if err != nil || len(columns) == 0 {
		return Table{}, err
	}
	table := Table{Columns: columns}
	rows, err := conn.QueryContext(ctx, selectAll(t.name, columns))
	if err != nil {
		return Table{}, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return Table{}, err
		}
		table.Rows = append(table.Rows, values)
	}
	return table, rows.Err()
}

// tableColumns returns the columns of the schema that the table has, in the
// schema's order.
func tableColumns(ctx context.Context, conn *sql.Conn, t tableSpec) ([]string, error) {
	rows, err := conn.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", t.name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var have []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		have = append(have, name)
	}
	if err := rows.Err(); err != nil || len(have) == 0 {
		return nil, err
	}
	columns := slices.DeleteFunc(slices.Clone(t.columns), func(c string) bool { return !slices.Contains(have, c) })
	if len(columns) == 0 {
		return have[:1], nil // a table, but not xCAT's
	}
	return columns, nil
}

// selectAll asks for the columns as text: numbers in decimal, and bytes as
// they are, whatever type a column was declared with.
func selectAll(table string, columns []string) string {
	casts := make([]string, len(columns))
	for i, c := range columns {
		casts[i] = `CAST("` + c + `" AS TEXT)`
	}
	return "SELECT " + strings.Join(casts, ", ") + ` FROM "` + table + `"`
}

// explain adds to an error of SQLite which file it is about and what to do.
func (b *sqliteBackend) explain(err error, file string) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", file, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%s has been locked by another program for %v: try again when it is done (fuser %s shows which): %w", file, b.lockWait, file, err)
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%s is damaged: restore it from a backup, for example with xCAT's restorexCATdb: %w", file, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%s was left in the middle of a change, which must be finished by a program that may write: start xcatd, or run sqlite3 %s .tables as root: %w", file, file, err)
	}
	return fmt.Errorf("%s: %w", file, err)
}
