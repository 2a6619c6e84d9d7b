package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
)

// serverBackend reads a site from a database server. It keeps one connection open, which
// is idle between two looks, and makes a new one when that is lost. All rows of a reading
// come from one read-only transaction, with one query for each table.
//
// # How a change is noticed
//
// Version asks the server for the columns of each table, and for a digest of
// each table's rows: their number, and the sum of 64 bits of a hash over every
// value of every row. The digest is of the same values that Load returns, so a
// change that it does not show is a collision of the hash, one in 10^19. It
// costs the network some hundred bytes and the server a scan: 3 ms for a hundred
// images, 60 to 150 ms for ten thousand, where reading them all takes 200 to 350 ms
// and some megabytes.
//
// Cheaper ways miss changes. UPDATE_TIME of MySQL is in whole seconds, set
// before or after the change is seen, and forgotten when the server restarts or
// needs the room; CHECKSUM TABLE is 32 bits; the counters of pg_stat are
// collected late and are lost in a crash; a highest xmin misses a transaction
// that began early and ends late. The sum does not depend on the order of rows,
// which a server is free to change.
type serverBackend struct {
	dialect dialect
	place   string // the server's name in messages, without secrets

	session session // nil while there is no connection
	read    layout  // the columns that the last Load has read
}

// layout says which columns of the schema each table of a database has, in
// the schema's order.
type layout map[string][]column

// column is a column as the server has it.
type column struct {
	name      string
	charset   string // the character set of its text, "" if it has none
	collation Collation
}

// isForeign reports whether the column's text may have to be converted to UTF-8.
func (c column) isForeign() bool {
	return !slices.Contains([]string{"", "ascii", "utf8", "utf8mb3", "utf8mb4", "UTF8", "SQL_ASCII"}, c.charset)
}

// dialect is what differs between kinds of servers.
type dialect interface {
	connect(ctx context.Context) (session, error)
	quote(name string) string
	// rowHash is an SQL expression for 64 bits of a hash over the values of a
	// row; different rows never give the hash the same input.
	rowHash(s session, columns []column) string
	// inUTF8 is an SQL expression for the hexadecimal digits of a column's value in UTF-8.
	// It is NULL where that is the value as it is stored.
	inUTF8(c column) string
	// sift says what an error of a session means.
	sift(err error) mishap
}

// session is one connection. After an error it is only good for closing.
type session interface {
	// begin starts a transaction that changes nothing and sees the rows of
	// one moment.
	begin(ctx context.Context) error
	// isolated reports whether all tables are seen so.
	isolated(ctx context.Context) (bool, error)
	end(ctx context.Context) error
	// columns returns the columns of each table of the schema that exists. With all
	// it makes sure that a table that is left out does not exist, rather than is
	// hidden from a user without rights to it.
	columns(ctx context.Context, all bool) (map[string][]column, error)
	// query hands the rows of the answer to row. The values are good until
	// it returns; nil is NULL.
	query(ctx context.Context, statement string, row func(values [][]byte)) error
	close()
}

// mishap is what an error means for the reading that it ended.
type mishap struct {
	lost    bool   // the connection is gone; a new one may do
	passing bool   // tables changed under the reading; another one may do
	hint    string // what the administrator can do about it
}

// reachHint says what to do about an unresponsive server; "" if err is about something
// else, such as its certificate.
func reachHint(err error) string {
	var network net.Error // of dialling, reading, and finding the host
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, driver.ErrBadConn) {
		return "see whether the server runs and can be reached from here"
	}
	return ""
}

func newServerBackend(spec Spec, d dialect) *serverBackend {
	return &serverBackend{dialect: d, place: spec.String()}
}

// Close closes the connection.
func (b *serverBackend) Close() error {
	b.drop()
	return nil
}

func (b *serverBackend) drop() {
	if b.session != nil {
		b.session.close()
		b.session = nil
	}
}

// Version identifies the present rows.
func (b *serverBackend) Version(ctx context.Context) (Version, error) {
	var version Version
	err := b.try(ctx, func(s session) error {
		have, err := s.columns(ctx, false)
		if err != nil {
			return err
		}
		known := known(have)
		if !maps.EqualFunc(known, b.read, slices.Equal) {
			version = "other columns"
			return nil
		}
		version, err = b.digest(ctx, s, known)
		return err
	})
	return version, err
}

// Load reads all tables.
func (b *serverBackend) Load(ctx context.Context) (Tables, Version, error) {
	var tables Tables
	var version Version
	err := b.try(ctx, func(s session) error {
		var err error
		tables, version, err = b.load(ctx, s)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return tables, version, nil
}

// try does work on the connection. It tries again if the connection has been lost since
// it was last used, or if tables were changed meanwhile.
func (b *serverBackend) try(ctx context.Context, work func(session) error) error {
	fresh := b.session == nil
	for n := 1; ; n++ {
		err := b.once(ctx, work)
		if err == nil {
			return nil
		}
		b.drop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m := b.dialect.sift(err)
		again := m.lost && !fresh || m.passing && n < maxReads
		if fresh = fresh || m.lost; again {
			continue
		}
		if m.hint != "" {
			return fmt.Errorf("database %s: %w: %s", b.place, err, m.hint)
		}
		return fmt.Errorf("database %s: %w", b.place, err)
	}
}

func (b *serverBackend) once(ctx context.Context, work func(session) error) error {
	if b.session == nil {
		s, err := b.dialect.connect(ctx)
		if err != nil {
			return fmt.Errorf("cannot connect: %w", err)
		}
		b.session = s
	}
	return work(b.session)
}
