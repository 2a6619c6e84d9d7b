package integration

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgres is a private PostgreSQL server.
type postgres struct {
	daemon
	dir  string
	port int
}

// newPostgres makes the directory of a server. PostgreSQL refuses to run as
// root.
func newPostgres(t *testing.T, c certificates) *postgres {
	t.Helper()
	needRoot(t)
	const place = "/usr/lib/postgresql/*/bin"
	server, initdb := findProgram("postgres", place, "/usr/pgsql-*/bin"), findProgram("initdb", place, "/usr/pgsql-*/bin")
	needDB(t, server != "" && initdb != "", "needs postgres and initdb (package postgresql)")
	dir, err := os.MkdirTemp(scratch, "pg")
	must(t, err)
	s := &postgres{dir: dir, port: freePort(t)}
	s.as = nobody()
	if u, err := user.Lookup("postgres"); err == nil {
		s.as = &syscall.Credential{Uid: parseID(t, u.Uid), Gid: parseID(t, u.Gid)}
	}
	must(t, os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)))
	openTheWay(t, s.dir)
	data := filepath.Join(s.dir, "data")
	install(t, s.as, initdb, "-D", data, "--username=owner", "--auth-local=trust", "--auth-host=scram-sha-256",
		"--encoding=SQL_ASCII", "--locale=C", "--no-sync")
	s.allow(t, "host")
	s.args = []string{server, "-D", data, "-k", s.dir, "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=12", "-c", "shared_buffers=32MB",
		"-c", "ssl=on", "-c", "ssl_cert_file=" + s.own(t, c.server), "-c", "ssl_key_file=" + s.own(t, c.key)}
	return s
}

// allow says who gets in: the owner without a password, others with one, and
// over TCP by host (with TLS or without) or hostssl.
func (s *postgres) allow(t *testing.T, how string) {
	t.Helper()
	rules := "local all owner trust\nlocal all all scram-sha-256\n" + how + " all all 127.0.0.1/32 scram-sha-256\n"
	must(t, os.WriteFile(filepath.Join(s.dir, "data/pg_hba.conf"), []byte(rules), 0o644))
}

// requireTLS ends with a connection that has seen the new rules.
func (s *postgres) requireTLS(t *testing.T, required bool) {
	t.Helper()
	how := "host"
	if required {
		how = "hostssl"
	}
	s.allow(t, how)
	s.exec(t, "postgres", "SELECT pg_reload_conf()")
	time.Sleep(200 * time.Millisecond) // the server reads them when it gets its signal
}

// own returns a copy of a file for the server alone.
func (s *postgres) own(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	copied := filepath.Join(s.dir, filepath.Base(file))
	must(t, os.WriteFile(copied, data, 0o600))
	must(t, os.Chown(copied, int(s.as.Uid), int(s.as.Gid)))
	return copied
}

func parseID(t *testing.T, text string) uint32 {
	t.Helper()
	id, err := strconv.ParseUint(text, 10, 32)
	must(t, err)
	return uint32(id)
}

func (s *postgres) name() string    { return "PostgreSQL" }
func (s *postgres) address() string { return loopback(s.port) }

func (s *postgres) start(t *testing.T) {
	t.Helper()
	s.launch(t)
	s.await(t, func() error {
		conn, err := s.connect("postgres")
		if err != nil {
			return err
		}
		return conn.Close(context.Background())
	})
	s.exec(t, "postgres", fmt.Sprintf("DO $$ BEGIN CREATE ROLE %s LOGIN PASSWORD %s; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
		readerName, sqlText(readerPassword)))
}

func (s *postgres) stop(t *testing.T) { s.end(t, syscall.SIGINT) } // "fast": ends connections
func (s *postgres) kill(t *testing.T) {
	s.end(t, syscall.SIGQUIT) // "immediate": as after a power failure, but its children end, too
}

func (s *postgres) connect(database string) (*pgconn.PgConn, error) {
	return pgconn.Connect(context.Background(), fmt.Sprintf("host=%s port=%d user=owner dbname=%s", s.dir, s.port, database))
}

func (s *postgres) create(t *testing.T, database string) {
	t.Helper()
	s.exec(t, "postgres", "CREATE DATABASE "+s.quote(database))
	t.Cleanup(func() {
		if s.cmd != nil {
			s.exec(t, "postgres", "DROP DATABASE "+s.quote(database)+" WITH (FORCE)")
		}
	})
}

func (s *postgres) createEncoded(t *testing.T, database, encoding string) {
	t.Helper()
	s.exec(t, "postgres", "CREATE DATABASE "+s.quote(database)+" ENCODING "+sqlText(encoding)+" TEMPLATE template0")
	t.Cleanup(func() { s.exec(t, "postgres", "DROP DATABASE "+s.quote(database)+" WITH (FORCE)") })
}

func (s *postgres) exec(t *testing.T, database, statement string, args ...[]byte) {
	t.Helper()
	conn, err := s.connect(database)
	must(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.ExecParams(context.Background(), statement, args, nil, nil, nil).Close(); err != nil {
		t.Fatalf("%s: %v", clip(statement), err)
	}
}

func (s *postgres) quote(identifier string) string { return `"` + identifier + `"` }
func (s *postgres) mark(n int) string              { return "$" + strconv.Itoa(n) }

func (s *postgres) grant(t *testing.T, database, table string) {
	t.Helper()
	s.exec(t, database, "GRANT SELECT ON "+s.tables(table)+" TO "+readerName)
}

func (s *postgres) revoke(t *testing.T, database, table string) {
	t.Helper()
	s.exec(t, database, "REVOKE SELECT ON "+s.tables(table)+" FROM "+readerName)
}

func (s *postgres) tables(table string) string {
	if table == "" {
		return "ALL TABLES IN SCHEMA public"
	}
	return s.quote(table)
}

func (s *postgres) disconnect(t *testing.T) {
	t.Helper()
	s.exec(t, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", []byte(readerName))
}

func (s *postgres) exhaust(t *testing.T, database string) (release func()) {
	t.Helper()
	var conns []*pgconn.PgConn
	for {
		config, err := pgconn.ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d user=%s dbname=%s", s.port, readerName, database))
		must(t, err)
		config.Password = readerPassword
		conn, err := pgconn.ConnectConfig(context.Background(), config)
		if err != nil {
			break
		}
		conns = append(conns, conn)
	}
	return func() {
		for _, conn := range conns {
			_ = conn.Close(context.Background())
		}
	}
}

func (s *postgres) lock(t *testing.T, database, table string) (release func()) {
	t.Helper()
	conn, err := s.connect(database)
	must(t, err)
	for _, statement := range []string{"BEGIN", "LOCK TABLE " + s.quote(table) + " IN ACCESS EXCLUSIVE MODE"} {
		_, err := conn.ExecParams(context.Background(), statement, nil, nil, nil, nil).Close()
		must(t, err)
	}
	return func() { must(t, conn.Close(context.Background())) }
}

func (s *postgres) cfgloc(database string) string {
	return fmt.Sprintf("Pg:dbname=%s;host=127.0.0.1;port=%d|%s|%s", database, s.port, readerName, readerPassword)
}

func (s *postgres) socket(database string) string {
	return fmt.Sprintf("Pg:port=%d;host=%s;dbname=%s|%s|%s", s.port, s.dir, database, readerName, readerPassword)
}
