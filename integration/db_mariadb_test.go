package integration

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// mariaDB is a private MariaDB (or MySQL) server.
type mariaDB struct {
	daemon
	dir  string
	port int
	db   *sql.DB // as root, over the socket
}

// newMariaDB makes the directory of a server, with what a server of xCAT's days
// has for a character set.
func newMariaDB(t *testing.T, c certificates) *mariaDB {
	t.Helper()
	needRoot(t)
	server := findProgram("mariadbd", "/usr/sbin", "/usr/libexec")
	installer := findProgram("mariadb-install-db", "/usr/bin")
	needDB(t, server != "" && installer != "", "needs mariadbd and mariadb-install-db (Debian: mariadb-server-core and mariadb-client-core)")
	dir, err := os.MkdirTemp(scratch, "maria")
	must(t, err)
	s := &mariaDB{dir: dir, port: freePort(t)}
	must(t, os.Chmod(s.dir, 0o755))
	data := filepath.Join(s.dir, "data")
	install(t, nil, installer, "--no-defaults", "--user=root", "--datadir="+data, "--skip-test-db", "--auth-root-authentication-method=normal")
	s.args = []string{server, "--no-defaults", "--user=root", "--datadir=" + data, "--socket=" + s.socketFile(),
		"--pid-file=" + s.dir + "/pid", fmt.Sprintf("--port=%d", s.port), "--bind-address=127.0.0.1",
		"--character-set-server=latin1", "--skip-name-resolve",
		"--innodb-flush-log-at-trx-commit=2", // what is committed outlives a kill
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M", "--performance-schema=OFF", "--skip-log-bin",
		"--ssl-cert=" + c.server, "--ssl-key=" + c.key}
	return s
}

func (s *mariaDB) socketFile() string { return s.dir + "/sock" }
func (s *mariaDB) name() string       { return "MariaDB" }
func (s *mariaDB) address() string    { return loopback(s.port) }

func (s *mariaDB) start(t *testing.T) {
	t.Helper()
	s.launch(t)
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User = "unix", s.socketFile(), "root"
	config.Logger = &mysql.NopLogger{}
	must(t, config.Apply(mysql.Charset("latin1", "latin1_bin"))) // bytes are stored as they are given
	connector, err := mysql.NewConnector(config)
	must(t, err)
	s.db = sql.OpenDB(connector)
	s.await(t, s.db.Ping)
	s.run(t, fmt.Sprintf("CREATE USER IF NOT EXISTS %s@'127.0.0.1' IDENTIFIED BY %s", readerName, sqlText(readerPassword)))
	s.run(t, fmt.Sprintf("CREATE USER IF NOT EXISTS %s@'localhost' IDENTIFIED BY %s", readerName, sqlText(readerPassword)))
}

func (s *mariaDB) stop(t *testing.T) { s.finish(t, syscall.SIGTERM) }
func (s *mariaDB) kill(t *testing.T) { s.finish(t, syscall.SIGKILL) }

func (s *mariaDB) finish(t *testing.T, signal syscall.Signal) {
	if s.db != nil {
		_ = s.db.Close()
		s.db = nil
	}
	s.end(t, signal)
}

func (s *mariaDB) run(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func (s *mariaDB) create(t *testing.T, database string) {
	t.Helper()
	s.run(t, "CREATE DATABASE "+s.quote(database))
	t.Cleanup(func() {
		if s.db != nil {
			s.run(t, "DROP DATABASE "+s.quote(database))
		}
	})
}

func (s *mariaDB) exec(t *testing.T, database, statement string, args ...[]byte) {
	t.Helper()
	conn, err := s.db.Conn(context.Background())
	must(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.ExecContext(context.Background(), "USE "+s.quote(database))
	must(t, err)
	values := make([]any, len(args))
	for i, a := range args {
		if a != nil {
			values[i] = string(a)
		}
	}
	if _, err := conn.ExecContext(context.Background(), statement, values...); err != nil {
		t.Fatalf("%s: %v", clip(statement), err)
	}
}

func (s *mariaDB) quote(identifier string) string { return "`" + identifier + "`" }
func (s *mariaDB) mark(int) string                { return "?" }

func (s *mariaDB) grant(t *testing.T, database, table string) {
	t.Helper()
	s.rights(t, "GRANT", "TO", database, table)
}

func (s *mariaDB) revoke(t *testing.T, database, table string) {
	t.Helper()
	s.rights(t, "REVOKE", "FROM", database, table)
}

func (s *mariaDB) rights(t *testing.T, verb, preposition, database, table string) {
	t.Helper()
	on := s.quote(database) + ".*"
	if table != "" {
		on = s.quote(database) + "." + s.quote(table)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		s.run(t, fmt.Sprintf("%s SELECT ON %s %s %s@'%s'", verb, on, preposition, readerName, host))
	}
}

func (s *mariaDB) disconnect(t *testing.T) {
	t.Helper()
	s.run(t, "KILL CONNECTION USER "+readerName+"@'127.0.0.1'")
}

// exhaust lowers the limit to the least that there is, and needs some readers.
func (s *mariaDB) exhaust(t *testing.T, database string) (release func()) {
	t.Helper()
	s.run(t, "SET GLOBAL max_connections = 10")
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.Passwd, config.DBName = "tcp", s.address(), readerName, readerPassword, database
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	must(t, err)
	db := sql.OpenDB(connector)
	for n := 0; ; n++ {
		if _, err := db.Conn(context.Background()); err != nil {
			break
		}
		if n > 20 {
			t.Fatal("the server never has enough connections")
		}
	}
	return sync.OnceFunc(func() {
		_ = db.Close()
		s.run(t, "SET GLOBAL max_connections = 100")
	})
}

func (s *mariaDB) requireTLS(t *testing.T, required bool) {
	t.Helper()
	what := "NONE"
	if required {
		what = "SSL"
	}
	s.run(t, fmt.Sprintf("ALTER USER %s@'127.0.0.1' REQUIRE %s", readerName, what))
}

func (s *mariaDB) lock(t *testing.T, database, table string) (release func()) {
	t.Helper()
	conn, err := s.db.Conn(context.Background())
	must(t, err)
	_, err = conn.ExecContext(context.Background(), "LOCK TABLES "+s.quote(database)+"."+s.quote(table)+" WRITE")
	must(t, err)
	return func() {
		_, err := conn.ExecContext(context.Background(), "UNLOCK TABLES")
		must(t, err)
		_ = conn.Close()
	}
}

func (s *mariaDB) cfgloc(database string) string {
	return fmt.Sprintf("mysql:dbname=%s;host=127.0.0.1;port=%d|%s|%s", database, s.port, readerName, readerPassword)
}

func (s *mariaDB) socket(database string) string {
	return fmt.Sprintf("mysql:mysql_socket=%s;host=localhost;dbname=%s|%s|%s", s.socketFile(), database, readerName, readerPassword)
}

// sqlText quotes a text for SQL.
func sqlText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
