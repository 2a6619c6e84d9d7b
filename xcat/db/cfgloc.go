package db

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"imgexportfs/bundle/source"
)

// Kind is a kind of database, spelled as in xCAT's cfgloc.
type Kind string

// The kinds that xCAT knows.
const (
	SQLite     Kind = "SQLite"
	MySQL      Kind = "mysql"
	PostgreSQL Kind = "Pg"
	CSV        Kind = "CSV"
	DB2        Kind = "DB2"
)

// Secret is a string that is not printed by accident.
type Secret string

// String hides the secret.
func (Secret) String() string { return "(hidden)" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return `"(hidden)"` }

// Spec says where a site's database is.
type Spec struct {
	Kind     Kind
	Place    string // directory (SQLite, CSV) or parameters such as "dbname=xcatdb;host=mn"
	User     string
	Password Secret
}

// String names the database as the cfgloc does, without user and password, by those
// parameters that are known not to be secrets. It shows none of them if a password is
// among them, because the text may have been split in the wrong place.
func (s Spec) String() string {
	var p params
	switch s.Kind {
	case SQLite, CSV:
		return string(s.Kind) + ":" + s.Place
	case MySQL:
		p = parseMySQLParams(s.Place)
	case PostgreSQL:
		p, _ = parsePgParams(s.Place) // openPostgreSQL reports the error
	}
	if _, secret := p["password"]; secret {
		return string(s.Kind)
	}
	var shown []string
	for _, name := range []string{"dbname", "database", "db", "host", "hostname", "hostaddr", "port", "mysql_socket"} {
		if value := p[name]; value != "" {
			shown = append(shown, name+"="+value)
		}
	}
	return string(s.Kind) + ":" + strings.Join(shown, ";")
}

// Where xCAT looks for its configuration, below the root.
const (
	cfglocFile  = "/etc/xcat/cfgloc"
	cfglocEnv   = "XCATCFG"
	oldSQLite   = "/opt/xcat/cfg"
	newSQLite   = "/etc/xcat"
	maxCfglocKB = 64
)

// ParseSpec reads what the file cfgloc and the variable XCATCFG hold:
// KIND:PLACE, KIND:PLACE|USER|PASSWORD, or a bare directory with SQLite files.
// As for xCAT, blanks belong to user and password, and what follows a third "|" does
// not count. Errors never show more of the text than the kind, and nothing of a text
// that may hold a password in an unknown place.
func ParseSpec(text string) (Spec, error) {
	if strings.TrimSpace(text) == "" {
		return Spec{}, errors.New("database location is empty: give one such as SQLite:/etc/xcat")
	}
	name, rest, found := strings.Cut(text, ":")
	kind, known := parseKind(name)
	known = known && found
	switch {
	case !known && strings.Contains(text, "|"):
		return Spec{}, errors.New("database location holds | and does not begin with a kind that xCAT knows (SQLite:, mysql:, Pg:, CSV: or DB2:), " +
			"so it is not shown here: write mysql:dbname=DATABASE;host=HOST|USER|PASSWORD, and SQLite: before a directory")
	case !found || !known && strings.HasPrefix(text, "/") || strings.HasPrefix(text, "."):
		return Spec{Kind: SQLite, Place: strings.TrimRight(text, blanks)}, nil
	case !known:
		return Spec{}, unknownKind(name)
	}
	spec := Spec{Kind: kind, Place: strings.TrimRight(rest, blanks)}
	if kind != SQLite && kind != CSV {
		parts := append(strings.Split(strings.TrimSuffix(rest, "\n"), "|"), "", "")
		spec.Place, spec.User, spec.Password = parts[0], parts[1], Secret(parts[2])
	}
	if strings.TrimSpace(spec.Place) == "" {
		return Spec{}, fmt.Errorf("database location %s: names no place after the colon", kind)
	}
	return spec, nil
}

// blanks at the end of a directory's name were left by an editor.
const blanks = " \t\r\n"

func parseKind(name string) (Kind, bool) {
	for _, k := range []Kind{SQLite, MySQL, PostgreSQL, CSV, DB2} {
		if strings.EqualFold(name, string(k)) {
			return k, true
		}
	}
	return "", false
}

func unknownKind(name string) error {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return errors.New("database location is neither KIND:PLACE nor a directory: give one such as SQLite:/etc/xcat")
	}
	return fmt.Errorf("unknown kind of database %q: xCAT has SQLite, mysql, Pg, CSV and DB2", name)
}

// findSpec decides which database a site uses, in xCAT's order: what the user
// says, XCATCFG, the first line of the file cfgloc, the directories that
// xCAT has used for SQLite. XCATCFG belongs to this host, so with a root other than "/",
// which is the disk of another host, it does not count.
func findSpec(root *source.Root, cfg Config) (Spec, error) {
	if cfg.Cfgloc != "" {
		return parseFromOrIn(root, "--cfgloc", cfg.Cfgloc)
	}
	getenv := cfg.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	if text := getenv(cfglocEnv); text != "" && root.Dir() == "/" {
		return parseFromOrIn(root, cfglocEnv, text)
	}
	line, err := firstLine(root, cfglocFile)
	if err != nil {
		return Spec{}, err
	}
	if strings.TrimSpace(line) != "" {
		return parseFrom(root, cfglocFile, line)
	}
	if st, err := root.Stat(oldSQLite); err == nil && st.IsDir() {
		return Spec{Kind: SQLite, Place: oldSQLite}, nil
	}
	return Spec{Kind: SQLite, Place: newSQLite}, nil
}

// parseFromOrIn is parseFrom, but a text that names a file instead of a directory
// stands for the first line of that file. So a password can be kept from ps.
func parseFromOrIn(root *source.Root, source, text string) (Spec, error) {
	spec, err := parseFrom(root, source, text)
	if err != nil || spec.Kind != SQLite || strings.Contains(text, ":") {
		return spec, err
	}
	if st, err := root.Stat(spec.Place); err != nil || !st.IsRegular() {
		return spec, nil
	}
	line, err := firstLine(root, spec.Place)
	if err != nil {
		return Spec{}, err
	}
	return parseFrom(root, spec.Place, line)
}

// parseFrom parses text and makes a relative directory absolute. With the root "/" it
// is relative to the working directory, with another root to that root.
func parseFrom(root *source.Root, source, text string) (Spec, error) {
	spec, err := ParseSpec(text)
	if err != nil {
		return Spec{}, fmt.Errorf("%s: %w", source, err)
	}
	if root.Dir() == "/" && (spec.Kind == SQLite || spec.Kind == CSV) {
		if spec.Place, err = filepath.Abs(spec.Place); err != nil {
			return Spec{}, fmt.Errorf("%s: %w", source, err)
		}
	}
	return spec, nil
}

// firstLine returns the first line of a file, "" if there is no such file.
// A file that exists and cannot be read is an error, because the defaults would lead to
// another database than xCAT's.
func firstLine(root *source.Root, name string) (string, error) {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find the site's database: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxCfglocKB<<10))
	if err != nil {
		return "", fmt.Errorf("find the site's database: %s: %w", name, err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line, nil
}
