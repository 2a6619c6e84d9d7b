package db

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMySQLAddress(t *testing.T) {
	defer func(before []string) { mysqlSockets = before }(mysqlSockets)
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	must(t, err)
	defer func() { _ = l.Close() }()
	for _, c := range []struct{ params, network, address string }{
		{"dbname=x;host=mn", "tcp", "mn:3306"},
		{"dbname=x;host=mn;port=3307", "tcp", "mn:3307"},
		{"dbname=x;host=[fd00::1]", "tcp", "[fd00::1]:3306"},
		{"dbname=x;mysql_socket=/s", "unix", "/s"},
		{"dbname=x;host=localhost;mysql_socket=/s", "unix", "/s"},
		{"dbname=x;host=127.0.0.1;mysql_socket=/s", "tcp", "127.0.0.1:3306"}, // as MySQL's library
		{"dbname=x", "unix", socket},
		{"dbname=x;host=localhost", "unix", socket},
		{"dbname=x;host=localhost;port=3307", "tcp", "localhost:3307"},
	} {
		mysqlSockets = []string{"/nonexistent", socket}
		config, err := newMySQLConfig(Spec{Kind: MySQL, Place: c.params})
		must(t, err)
		if config.Net != c.network || config.Addr != c.address {
			t.Errorf("%s: %s %s, want %s %s", c.params, config.Net, config.Addr, c.network, c.address)
		}
	}
	mysqlSockets = []string{"/nonexistent"}
	config, err := newMySQLConfig(Spec{Kind: MySQL, Place: "dbname=x"})
	if err != nil || config.Net != "tcp" || config.Addr != "localhost:3306" {
		t.Errorf("without a socket: %s %s, %v", config.Net, config.Addr, err)
	}
}

func TestServerConfigsTakeUserPasswordAndTimes(t *testing.T) {
	for _, c := range []struct {
		spec                 Spec
		user, password, name string
		timeout              time.Duration
	}{
		{Spec{Kind: MySQL, Place: "dbname=x;host=h;mysql_connect_timeout=9;mysql_enable_utf8=1", User: "u", Password: "p|w"}, "u", "p|w", "x", 9 * time.Second},
		{Spec{Kind: MySQL, Place: "database=x;host=h;user=u;password=pw"}, "u", "pw", "x", 5 * time.Second},
		{Spec{Kind: MySQL, Place: "db=x;host=h"}, loginName(), "", "x", 5 * time.Second},
	} {
		config, err := newMySQLConfig(c.spec)
		must(t, err)
		if config.User != c.user || config.Passwd != c.password || config.DBName != c.name || config.Timeout != c.timeout {
			t.Errorf("%s: %s %s %s %v", c.spec, config.User, config.Passwd, config.DBName, config.Timeout)
		}
	}
	t.Setenv("PGPASSWORD", "")
	t.Setenv("PGPASSFILE", "/nonexistent")
	for _, c := range []struct {
		spec                       Spec
		user, password, name, host string
		timeout                    time.Duration
	}{
		{Spec{Kind: PostgreSQL, Place: "dbname=x;host=h;connect_timeout=9;keepalives=1", User: "u", Password: "p'|w"}, "u", "p'|w", "x", "h", 9 * time.Second},
		{Spec{Kind: PostgreSQL, Place: "db=x;host=h;user=u;password='p w'"}, "u", "p w", "x", "h", 5 * time.Second},
		{Spec{Kind: PostgreSQL, Place: "database=x;host=/run/pg;port=1", User: "u"}, "u", "", "x", "/run/pg", 5 * time.Second},
		{Spec{Kind: PostgreSQL, Place: "dbname=x;hostaddr=10.0.0.1", User: "u"}, "u", "", "x", "10.0.0.1", 5 * time.Second},
	} {
		config, err := newPgConfig(c.spec)
		must(t, err)
		if config.User != c.user || config.Password != c.password || config.Database != c.name || config.Host != c.host || config.ConnectTimeout != c.timeout {
			t.Errorf("%s: %s %s %s %s %v", c.spec, config.User, config.Password, config.Database, config.Host, config.ConnectTimeout)
		}
	}
}

func TestServerConfigsRefuseWhatTheyWouldMisread(t *testing.T) {
	for text, says := range map[string]string{
		"mysql:host=h|u|hush":                                         "names no database",
		"mysql:dbname=x;port=many|u|hush":                             "port",
		"mysql:dbname=x;port=0|u|hush":                                "port",
		"mysql:dbname=x;mysql_connect_timeout=0|u|hush":               "mysql_connect_timeout",
		"mysql:dbname=x;mysql_ssl=yes|u|hush":                         "mysql_ssl",
		"mysql:dbname=x;mysql_ssl_ca_file=/ca|u|hush":                 "without mysql_ssl=1",
		"mysql:dbname=x;mysql_ssl_optional=1|u|hush":                  "without mysql_ssl=1",
		"mysql:dbname=x;mysql_ssl=1;mysql_ssl_ca_file=/none|u|hush":   "/none",
		"mysql:dbname=x;mysql_ssl=1;mysql_ssl_client_key=/k|u|hush":   "client certificate",
		"mysql:dbname=x;mysql_read_default_file=/etc/my.cnf|u|hush":   "mysql_read_default_file",
		"mysql:dbname=x;secret=hush|u|hush":                           `"secret"`,
		"Pg:dbname=x;port=70000|u|hush":                               "port",
		"Pg:dbname=x;host|u|hush":                                     "NAME=VALUE",
		"Pg:dbname=x;connect_timeout=-1|u|hush":                       "connect_timeout",
		"Pg:dbname=x;options=-c|u|hush":                               `"options"`,
		"Pg:dbname=x;host=h;sslmode=verify-all|u|hush":                "sslmode",
		"Pg:dbname=x;host=h;sslmode=verify-ca;sslrootcert=/no|u|hush": "/no",
		"Pg:dbname=x;host=h;password='hush|u|hush":                    "apostrophe",
		"Pg:dbname=x;host=h;target_session_attrs=hm|u|hush":           "together",
	} {
		spec, err := ParseSpec(text)
		must(t, err)
		_, err = openBackend(nil, spec)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v, want something with %q", text, err, says)
		}
	}
}

func TestSpecNamesTheDatabaseWithoutSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"SQLite:/etc/xcat":                      "SQLite:/etc/xcat",
		"mysql:dbname=x;host=h|user|hush":       "mysql:dbname=x;host=h",
		"Pg:host=h;dbname=x;password=hush":      "Pg",
		"mysql:dbname=x;password='hush;h'|u|pw": "mysql",
		"Pg:dbname=x;password='hush|u|pw":       "Pg:",
		"mysql:x;h;3307;token=hush|u|pw":        "mysql:dbname=x;host=h;port=3307",
	} {
		spec, err := ParseSpec(text)
		must(t, err)
		if got := fmt.Sprint(spec); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
