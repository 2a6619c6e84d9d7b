package db

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

// connectSeconds is how long a server may take to accept a connection unless
// the cfgloc says otherwise.
const connectSeconds = 5

// mysqlSockets are where MySQL's client library looks for a server on this
// host, in the packages of Red Hat, Debian, SUSE, and as MySQL has it itself.
var mysqlSockets = []string{"/var/lib/mysql/mysql.sock", "/run/mysqld/mysqld.sock", "/run/mysql/mysql.sock", "/tmp/mysql.sock"}

// mysqlIgnored are parameters of DBD::mysql that make no difference here: how
// its client works, and how Perl takes text.
var mysqlIgnored = []string{
	"mysql_auto_reconnect", "mysql_bind_type_guessing", "mysql_client_found_rows", "mysql_compression",
	"mysql_enable_utf8", "mysql_enable_utf8mb4", "mysql_local_infile", "mysql_multi_statements", "mysql_no_autocommit_cmd",
	"mysql_read_timeout", "mysql_server_prepare", "mysql_use_result", "mysql_write_timeout",
}

// newMySQLConfig turns a database location into what the driver takes. Socket
// and certificates are files of this host, whatever the site's root is.
func newMySQLConfig(spec Spec) (*mysql.Config, error) {
	p := parseMySQLParams(spec.Place)
	config := mysql.NewConfig()
	config.Logger = &mysql.NopLogger{} // the errors that it would log are returned as well
	config.DBName = p.take("dbname", "db", "database")
	if config.DBName == "" {
		return nil, errors.New("names no database: give one by dbname=")
	}
	config.User = cmp.Or(spec.User, p.take("user"), loginName())
	config.Passwd = cmp.Or(string(spec.Password), p.take("password"))
	delete(p, "user")
	delete(p, "password")
	port, err := p.takePort()
	if err != nil {
		return nil, err
	}
	host := p.take("host", "hostname")
	config.Net, config.Addr = mysqlAddress(host, port, p.take("mysql_socket"))
	seconds, err := p.takeSeconds("mysql_connect_timeout", connectSeconds)
	if err != nil {
		return nil, err
	}
	config.Timeout = time.Duration(seconds) * time.Second
	if config.TLS, config.AllowFallbackToPlaintext, err = mysqlTLS(p, host); err != nil {
		return nil, err
	}
	config.Params = map[string]string{
		// No conversion: xCAT often writes UTF-8 through connections and into
		// columns that are labelled Latin-1.
		"character_set_results": "NULL",
		"lock_wait_timeout":     strconv.Itoa(int(defaultLockWait.Seconds())),
	}
	return config, p.refuseRest(mysqlIgnored...)
}

// mysqlAddress decides as MySQL's client library does: no host and localhost
// mean the socket, any other host TCP. A port for localhost means TCP, too.
func mysqlAddress(host string, port uint16, socket string) (network, address string) {
	if host == "" || host == "localhost" {
		if socket != "" {
			return "unix", socket
		}
		for _, file := range mysqlSockets {
			if st, err := os.Stat(file); port == 0 && err == nil && st.Mode()&os.ModeSocket != 0 {
				return "unix", file
			}
		}
		host = "localhost"
	}
	return "tcp", net.JoinHostPort(host, strconv.Itoa(int(cmp.Or(port, 3306))))
}

// mysqlTLS reads DBD::mysql's TLS parameters: mysql_ssl=1 asks for TLS, a CA
// for a certificate that it has signed, and mysql_ssl_verify_server_cert=1 for
// one with the host's name.
func mysqlTLS(p params, host string) (config *tls.Config, optional bool, err error) {
	wanted, err := p.takeBool("mysql_ssl")
	if err != nil {
		return nil, false, err
	}
	optional, err = p.takeBool("mysql_ssl_optional")
	if err != nil {
		return nil, false, err
	}
	named, err := p.takeBool("mysql_ssl_verify_server_cert")
	if err != nil {
		return nil, false, err
	}
	caFile, certFile, keyFile := p.take("mysql_ssl_ca_file"), p.take("mysql_ssl_client_cert"), p.take("mysql_ssl_client_key")
	if !wanted {
		if optional || named || caFile+certFile+keyFile != "" {
			return nil, false, errors.New("there are TLS parameters without mysql_ssl=1")
		}
		return nil, false, nil
	}
	config = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cmp.Or(host, "localhost")}
	if caFile != "" {
		if config.RootCAs, err = readCAs(caFile); err != nil {
			return nil, false, err
		}
	}
	if !named {
		// Without the name only the signature can be checked.
		config.InsecureSkipVerify = true
		if caFile != "" {
			config.VerifyConnection = signedBy(config.RootCAs)
		}
	}
	if certFile != "" || keyFile != "" {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, false, fmt.Errorf("client certificate and key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, optional, nil
}

func readCAs(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("certificates of the CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("certificates of the CA: %s holds none in PEM form", file)
	}
	return pool, nil
}

// signedBy checks a server's certificate except its name.
func signedBy(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		chain := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			chain.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: chain})
		return err
	}
}

// loginName is the user that a client library takes by default.
func loginName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
