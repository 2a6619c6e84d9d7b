package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// mysqlDialect talks to MySQL and MariaDB.
type mysqlDialect struct {
	config   *mysql.Config
	database string
}

func openMySQL(spec Spec) (Backend, error) {
	config, err := newMySQLConfig(spec)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", spec, err)
	}
	return newServerBackend(spec, mysqlDialect{config: config, database: config.DBName}), nil
}

func (d mysqlDialect) connect(ctx context.Context) (session, error) {
	connector, err := mysql.NewConnector(d.config)
	if err != nil {
		return nil, err
	}
	// The driver limits dialling only; a server may stop after that.
	limited, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	db := sql.OpenDB(connector)
	conn, err := db.Conn(limited)
	if err != nil {
		_ = db.Close()
		if limited.Err() != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("%s: no answer within %v: %w", d.config.Addr, d.config.Timeout, os.ErrDeadlineExceeded)
		}
		if _, answered := errors.AsType[*mysql.MySQLError](err); answered {
			err = fmt.Errorf("%s: %w", d.config.Addr, err) // other errors name it themselves
		}
		return nil, err
	}
	return &mysqlSession{db: db, conn: conn}, nil
}

func (mysqlDialect) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// rowHash hashes the bytes of each value after their number, so that two rows never
// have the same text. A row that is too large for the server's max_allowed_packet gives
// NULL; it counts as changed at every look.
func (d mysqlDialect) rowHash(_ session, columns []column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		name := d.quote(c.name)
		parts[i] = fmt.Sprintf("IFNULL(CONCAT(LENGTH(%s), ':', CAST(%s AS BINARY)), '-')", name, name)
	}
	return "IFNULL(CAST(CONV(LEFT(SHA2(CONCAT(" + strings.Join(parts, ", ") + "), 256), 16), 16, 10) AS UNSIGNED), UUID_SHORT())"
}

// inUTF8 converts on the server, which knows all of its character sets.
func (d mysqlDialect) inUTF8(c column) string {
	name := d.quote(c.name)
	text := "CAST(CONVERT(" + name + " USING utf8mb4) AS BINARY)"
	return "HEX(NULLIF(" + text + ", CAST(" + name + " AS BINARY)))"
}

// What error numbers of MySQL and MariaDB mean.
const (
	mysqlTooManyConnections = 1040
	mysqlDatabaseDenied     = 1044
	mysqlAccessDenied       = 1045
	mysqlNoSuchDatabase     = 1049
	mysqlShutdown           = 1053
	mysqlNoSuchColumn       = 1054
	mysqlSyntax             = 1064
	mysqlTableDenied        = 1142
	mysqlColumnDenied       = 1143
	mysqlNoSuchTable        = 1146
	mysqlUserTooMany        = 1203
	mysqlLockWait           = 1205
	mysqlDeadlock           = 1213
	mysqlTableChanged       = 1412
	mysqlKilled             = 1927
)

func (d mysqlDialect) sift(err error) mishap {
	var answer *mysql.MySQLError
	if !errors.As(err, &answer) {
		return mishap{lost: true, hint: reachHint(err)}
	}
	switch answer.Number {
	case mysqlShutdown, mysqlKilled:
		return mishap{lost: true}
	case mysqlNoSuchColumn, mysqlNoSuchTable, mysqlTableChanged, mysqlDeadlock:
		return mishap{passing: true}
	case mysqlTooManyConnections, mysqlUserTooMany:
		return mishap{hint: "raise max_connections of the server, or try again when others are done"}
	case mysqlAccessDenied:
		return mishap{hint: "give the right user and password in the cfgloc"}
	case mysqlNoSuchDatabase:
		return mishap{hint: "name the database of xCAT in the cfgloc"}
	case mysqlDatabaseDenied, mysqlTableDenied, mysqlColumnDenied:
		return mishap{hint: fmt.Sprintf("let an administrator of the server GRANT SELECT ON %s.* to the user", d.quote(d.database))}
	case mysqlLockWait:
		return mishap{hint: "another program has locked the table; try again when it is done"}
	}
	return mishap{}
}

// mysqlSession is a connection to a server.
type mysqlSession struct {
	db   *sql.DB // holds nothing but conn
	conn *sql.Conn
}

func (s *mysqlSession) close() {
	_ = s.conn.Close()
	_ = s.db.Close()
}

// begin takes the snapshot now, not at the first query. Servers before MySQL
// 5.6 and MariaDB 10 don't know READ ONLY.
func (s *mysqlSession) begin(ctx context.Context) error {
	if _, err := s.conn.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"); err != nil {
		return err
	}
	_, err := s.conn.ExecContext(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
	if isMySQL(err, mysqlSyntax) {
		_, err = s.conn.ExecContext(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
	}
	return err
}

func (s *mysqlSession) end(ctx context.Context) error {
	_, err := s.conn.ExecContext(ctx, "COMMIT")
	return err
}

// isolated looks at the engines: MyISAM and Aria do not keep a snapshot.
func (s *mysqlSession) isolated(ctx context.Context) (bool, error) {
	others := 0
	err := s.query(ctx, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND "+
		"ENGINE <> 'InnoDB' AND TABLE_NAME IN ("+schemaNames()+")", func(values [][]byte) {
		if string(values[0]) != "0" {
			others++
		}
	})
	return others == 0, err
}

// columns asks information_schema, which shows only tables to which the user has some
// right. So a table that it does not show is queried: then the server says whether it
// is missing or forbidden.
func (s *mysqlSession) columns(ctx context.Context, all bool) (map[string][]column, error) {
	have := map[string][]column{}
	err := s.query(ctx, "SELECT TABLE_NAME, COLUMN_NAME, CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND "+
		"TABLE_NAME IN ("+schemaNames()+") ORDER BY TABLE_NAME, ORDINAL_POSITION", func(values [][]byte) {
		c := column{name: string(values[1]), charset: string(values[2]), collation: Collation(values[3])}
		have[string(values[0])] = append(have[string(values[0])], c)
	})
	if err != nil || !all {
		return have, err
	}
	for _, t := range schema {
		if _, found := have[t.name]; found {
			continue
		}
		err := s.query(ctx, "SELECT 1 FROM "+mysqlDialect{}.quote(t.name)+" LIMIT 0", func([][]byte) {})
		if err != nil && !isMySQL(err, mysqlNoSuchTable) {
			return nil, fmt.Errorf("read table %s: %w", t.name, err)
		}
	}
	return have, nil
}

func (s *mysqlSession) query(ctx context.Context, statement string, row func([][]byte)) error {
	rows, err := s.conn.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	raw := make([]sql.RawBytes, len(names))
	values := make([][]byte, len(names))
	into := make([]any, len(names))
	for i := range raw {
		into[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i := range raw {
			values[i] = raw[i]
		}
		row(values)
	}
	return rows.Err()
}

func isMySQL(err error, number uint16) bool {
	var answer *mysql.MySQLError
	return errors.As(err, &answer) && answer.Number == number
}

// schemaNames lists the names of all tables for SQL.
func schemaNames() string {
	names := make([]string, len(schema))
	for i, t := range schema {
		names[i] = "'" + t.name + "'"
	}
	return strings.Join(names, ", ")
}
