package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// pgDialect talks to PostgreSQL.
type pgDialect struct{ config *pgconn.Config }

func openPostgreSQL(spec Spec) (Backend, error) {
	config, err := newPgConfig(spec)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", spec, err)
	}
	return newServerBackend(spec, pgDialect{config: config}), nil
}

func (d pgDialect) connect(ctx context.Context) (session, error) {
	conn, err := pgconn.ConnectConfig(ctx, d.config)
	if err != nil {
		return nil, oneLineError{err}
	}
	s := &pgSession{conn: conn}
	// A table that is locked is waited for as long as an SQLite one. Servers
	// before 9.3 know no such limit.
	err = s.run(ctx, fmt.Sprintf("SET lock_timeout = %d", defaultLockWait.Milliseconds()))
	if err != nil && !isPg(err, pgUnknownSetting) {
		s.close()
		return nil, err
	}
	return s, nil
}

func (pgDialect) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// rowHash hashes the text of the row as a composite value, which tells NULL
// from the empty string and one column from the next.
func (d pgDialect) rowHash(s session, columns []column) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = d.quote(c.name)
	}
	row := "ROW(" + strings.Join(quoted, ", ") + ")::text"
	hash := "md5(" + row + ")"
	if s.(*pgSession).hasSHA256() {
		hash = "encode(sha256(convert_to(" + row + ", getdatabaseencoding())), 'hex')"
	}
	return "('x' || left(" + hash + ", 16))::bit(64)::bigint"
}

// inUTF8 converts on the server. Values with characters that UTF-8 lacks do not exist.
func (d pgDialect) inUTF8(c column) string {
	text := d.quote(c.name) + "::text"
	return "encode(NULLIF(convert_to(" + text + ", 'UTF8'), convert_to(" + text + ", getdatabaseencoding())), 'hex')"
}

// What codes of PostgreSQL mean.
const (
	pgClassConnection    = "08"
	pgClassAuthorization = "28"
	pgClassOperator      = "57P" // shut down, killed, starting up
	pgTooManyConnections = "53300"
	pgNoSuchDatabase     = "3D000"
	pgDenied             = "42501"
	pgNoSuchTable        = "42P01"
	pgNoSuchColumn       = "42703"
	pgUnknownSetting     = "42704"
	pgLockTimeout        = "55P03"
	pgSerialization      = "40001"
	pgDeadlock           = "40P01"
)

func (d pgDialect) sift(err error) mishap {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return mishap{lost: true, hint: reachHint(err)}
	}
	switch code := answer.Code; {
	case strings.HasPrefix(code, pgClassConnection), strings.HasPrefix(code, pgClassOperator):
		return mishap{lost: true}
	case slices.Contains([]string{pgNoSuchTable, pgNoSuchColumn, pgSerialization, pgDeadlock}, code):
		return mishap{passing: true}
	case strings.HasPrefix(code, pgClassAuthorization):
		return mishap{hint: "give the right user and password in the cfgloc"}
	case code == pgTooManyConnections:
		return mishap{hint: "raise max_connections of the server, or try again when others are done"}
	case code == pgNoSuchDatabase:
		return mishap{hint: "name the database of xCAT in the cfgloc"}
	case code == pgDenied:
		return mishap{hint: "let the owner of the tables GRANT SELECT on them to the user, and USAGE on their schema"}
	case code == pgLockTimeout:
		return mishap{hint: "another program has locked the table; try again when it is done"}
	}
	return mishap{}
}

// pgSession is a connection to a server.
type pgSession struct{ conn *pgconn.PgConn }

// closePatience is how long the end of a connection may take.
const closePatience = time.Second

// close ends the connection. It does not wait for an unresponsive server.
func (s *pgSession) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	_ = s.conn.Close(ctx)
}

func (s *pgSession) hasSHA256() bool {
	major, _, _ := strings.Cut(s.conn.ParameterStatus("server_version"), ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 11
}

func (s *pgSession) run(ctx context.Context, statement string) error {
	return s.query(ctx, statement, func([][]byte) {})
}

func (s *pgSession) begin(ctx context.Context) error {
	return s.run(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
}

func (s *pgSession) end(ctx context.Context) error { return s.run(ctx, "COMMIT") }

func (s *pgSession) isolated(context.Context) (bool, error) { return true, nil }

// columns asks the catalog, which shows every user all tables. All text of a database has
// one encoding, and is compared byte by byte.
func (s *pgSession) columns(ctx context.Context, _ bool) (map[string][]column, error) {
	have, encoding := map[string][]column{}, s.conn.ParameterStatus("server_encoding")
	err := s.query(ctx, "SELECT c.relname, a.attname FROM pg_catalog.pg_class c "+
		"JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "+
		"WHERE c.relname IN ("+schemaNames()+") AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "+
		"AND pg_catalog.pg_table_is_visible(c.oid) AND a.attnum > 0 AND NOT a.attisdropped "+
		"ORDER BY c.relname, a.attnum", func(values [][]byte) {
		have[string(values[0])] = append(have[string(values[0])], column{name: string(values[1]), charset: encoding})
	})
	return have, err
}

func (s *pgSession) query(ctx context.Context, statement string, row func([][]byte)) error {
	rows := s.conn.ExecParams(ctx, statement, nil, nil, nil, nil)
	for rows.NextRow() {
		row(rows.Values())
	}
	_, err := rows.Close()
	return err
}

func isPg(err error, code string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == code
}

// oneLineError is the driver's error of a connection. The driver's text has a line with
// the user, and then a line for each address that was tried. This text has one line, and
// says each thing once.
type oneLineError struct{ error }

func (e oneLineError) Unwrap() error { return e.error }

func (e oneLineError) Error() string {
	text := strings.TrimSpace(e.error.Error())
	if _, tries, found := strings.Cut(text, "`:"); found {
		text = strings.TrimSpace(tries)
	}
	var parts []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !slices.ContainsFunc(parts, func(said string) bool { return strings.Contains(said, line) }) {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// pgIgnored are parameters of libpq that make no difference here: how its
// client keeps connections, and the encoding, which is decided below.
var pgIgnored = []string{
	"application_name", "client_encoding", "fallback_application_name", "gssencmode",
	"keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "tcp_user_timeout",
}

// pgPassed are the parameters that the driver understands as libpq does.
var pgPassed = []string{
	"host", "passfile", "service", "servicefile", "sslcert", "sslcertmode", "sslkey", "sslmode", "sslnegotiation",
	"sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "channel_binding", "require_auth",
}

// newPgConfig turns a database location into what the driver takes. What the location
// does not say comes from libpq's variables and defaults, as for xCAT. Sockets and
// certificates are files of this host, whatever the site's root is.
func newPgConfig(spec Spec) (*pgconn.Config, error) {
	p, err := parsePgParams(spec.Place)
	if err != nil {
		return nil, err
	}
	passed := params{"user": cmp.Or(spec.User, p.take("user")), "dbname": p.take("dbname", "database", "db")}
	delete(p, "user")
	password := cmp.Or(string(spec.Password), p.take("password"))
	delete(p, "password")
	port, err := p.takePort()
	if err != nil {
		return nil, err
	}
	if port != 0 {
		passed["port"] = strconv.Itoa(int(port))
	}
	seconds, err := p.takeSeconds("connect_timeout", connectSeconds)
	if err != nil {
		return nil, err
	}
	passed["connect_timeout"] = strconv.Itoa(seconds)
	address := p.take("hostaddr")
	for _, name := range pgPassed {
		passed[name] = p.take(name)
	}
	passed["host"] = cmp.Or(passed["host"], address)
	if err := p.refuseRest(pgIgnored...); err != nil {
		return nil, err
	}
	config, err := pgconn.ParseConfig(passed.keywords())
	if err != nil {
		return nil, withoutText(err)
	}
	if password != "" {
		config.Password = password // not through a text that an error could quote
	}
	if address != "" {
		config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{address}, nil }
	}
	config.RuntimeParams["application_name"] = "imgexportfs"
	// No conversion: for a client with SQL_ASCII the server sends bytes as they
	// are stored.
	config.RuntimeParams["client_encoding"] = "SQL_ASCII"
	return config, nil
}

// keywords writes parameters as libpq reads them; those without a value are
// left out.
func (p params) keywords() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if p[name] != "" {
			fmt.Fprintf(&b, "%s='%s' ", name, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(p[name]))
		}
	}
	return b.String()
}

// withoutText returns what is wrong with a connection string without the
// string, which may hold the password of a key.
func withoutText(err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		return cause
	}
	return errors.New("its parameters cannot be used together")
}
