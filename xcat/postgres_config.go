package xcat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// pgUnheeded are parameters of libpq that make no difference here: how its
// client keeps connections, and the encoding, which is decided below.
var pgUnheeded = []string{
	"application_name", "client_encoding", "fallback_application_name", "gssencmode",
	"keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "tcp_user_timeout",
}

// pgPassed are the parameters that the driver understands as libpq does.
var pgPassed = []string{
	"host", "passfile", "service", "servicefile", "sslcert", "sslcertmode", "sslkey", "sslmode", "sslnegotiation",
	"sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "channel_binding", "require_auth",
}

// newPgConfig turns a database location into what the driver takes. What the
// location leaves open comes from libpq's variables and defaults, for it does
// so for xCAT, too. Sockets and certificates are files of this host, whatever
// the site's root is.
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
	if err := p.refuseRest(pgUnheeded...); err != nil {
		return nil, err
	}
	config, err := pgconn.ParseConfig(passed.keywords())
	if err != nil {
		return nil, withoutText(err)
	}
	if password != "" {
		config.Password = password // never in a text that an error could quote
	}
	if address != "" {
		config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{address}, nil }
	}
	config.RuntimeParams["application_name"] = "imgexportfs"
	// Bytes come as they are stored: for a client that says SQL_ASCII the
	// server converts nothing.
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
