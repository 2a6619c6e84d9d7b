package xcatsite

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// Epoch is the modification time of every file that a Site writes.
var Epoch = time.Date(2024, time.January, 2, 3, 4, 5, 0, time.UTC)

// ConfigDir is where the tables are, as the site spells it.
const ConfigDir = "/etc/xcat"

// Site is a management node's disk below a directory.
type Site struct {
	dir string
}

// Row is one row of a table: column to value. A column that is absent is NULL.
type Row map[string]string

// Create makes an empty site below dir, which is made when missing: every
// table, without a row, and /install.
func Create(dir string) (*Site, error) {
	s := &Site{dir: dir}
	for _, d := range []string{ConfigDir, "/install"} {
		if err := os.MkdirAll(s.Path(d), 0o755); err != nil {
			return nil, fmt.Errorf("create site: %w", err)
		}
	}
	for _, t := range tables {
		columns := make([]string, len(t.columns))
		for i, c := range t.columns {
			columns[i] = quote(c) + " TEXT"
		}
		keys := make([]string, len(t.key))
		for i, c := range t.key {
			keys[i] = quote(c)
		}
		create := fmt.Sprintf("CREATE TABLE %s (%s, PRIMARY KEY (%s))",
			quote(t.name), strings.Join(columns, ", "), strings.Join(keys, ", "))
		if err := s.Exec(t.name, create); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Open returns the site that is already below dir.
func Open(dir string) *Site { return &Site{dir: dir} }

// Dir is the directory that stands for the node's "/": what --root takes.
func (s *Site) Dir() string { return s.dir }

// Path is where the site's file name is on this machine.
func (s *Site) Path(name string) string { return filepath.Join(s.dir, name) }

// TableFile is where the SQLite file of a table is on this machine.
func (s *Site) TableFile(name string) string {
	return s.Path(filepath.Join(ConfigDir, name+".sqlite"))
}

// Exec runs one statement on the file of the named table.
func (s *Site) Exec(tableName, statement string, args ...any) error {
	if err := exec(s.TableFile(tableName), statement, args); err != nil {
		return fmt.Errorf("table %s: %w", tableName, err)
	}
	return nil
}

func exec(file, statement string, args []any) (err error) {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	// Like xcatd, wait for whoever reads the table at the moment.
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("PRAGMA busy_timeout = 30000"); err != nil {
		return err
	}
	_, err = db.Exec(statement, args...)
	return err
}

// Insert adds one row.
func (s *Site) Insert(tableName string, row Row) error {
	t, ok := lookup(tableName)
	if !ok {
		return fmt.Errorf("xCAT has no table %q", tableName)
	}
	columns := slices.Sorted(maps.Keys(row))
	args := make([]any, len(columns))
	quoted := make([]string, len(columns))
	for i, c := range columns {
		if !slices.Contains(t.columns, c) {
			return fmt.Errorf("table %s has no column %q", tableName, c)
		}
		quoted[i], args[i] = quote(c), row[c]
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
	return s.Exec(tableName, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)",
		quote(tableName), strings.Join(quoted, ", "), marks), args...)
}

// WriteFile writes a file, its directories too, with mode perm and the time
// Epoch, and replaces one that is there.
func (s *Site) WriteFile(name string, perm os.FileMode, data []byte) error {
	path := s.Path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write site file: %w", err)
	}
	if err := os.WriteFile(path, data, perm); err != nil {
		return fmt.Errorf("write site file: %w", err)
	}
	if err := os.Chmod(path, perm); err != nil { // whatever the umask is
		return fmt.Errorf("write site file: %w", err)
	}
	return s.Touch(name, Epoch)
}

// Touch sets a file's modification time.
func (s *Site) Touch(name string, mtime time.Time) error {
	if err := os.Chtimes(s.Path(name), mtime, mtime); err != nil {
		return fmt.Errorf("set time of site file: %w", err)
	}
	return nil
}

// quote quotes an identifier; "key" and "groups" are reserved words elsewhere.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
