package integration

import (
	"path/filepath"
	"strings"
	"testing"
)

// Commands that run once read each table once, and ask for no digest a second time.
func testMariaDBReadOnce(t *testing.T, s *mariaDB) {
	d := newDBSite(t, s, "once")
	s.run(t, "SET GLOBAL log_output = 'TABLE'")
	defer s.run(t, "SET GLOBAL general_log = OFF")
	for _, command := range []string{"list", "check", "export a", "dump " + filepath.Join(t.TempDir(), "dump")} {
		s.run(t, "SET GLOBAL general_log = OFF")
		s.run(t, "TRUNCATE mysql.general_log")
		s.run(t, "SET GLOBAL general_log = ON")
		words := strings.Fields(command)
		args := append([]string{words[0], "--root", d.root, "--cfgloc", s.cfgloc(d.database)}, words[1:]...)
		expectCode(t, program(t, t.TempDir(), args...), 0)
		for _, table := range dbTables {
			var rows, digests int
			must(t, s.db.QueryRow("SELECT COALESCE(SUM(argument NOT LIKE '%COUNT(*)%'), 0), COALESCE(SUM(argument LIKE '%COUNT(*)%'), 0) FROM mysql.general_log "+
				"WHERE command_type = 'Query' AND user_host LIKE ? AND argument LIKE ?", readerName+"%", "%FROM `"+table+"`%").Scan(&rows, &digests))
			if rows != 1 || digests != 1 {
				t.Errorf("%s: table %s is read %d times and has %d digests, want one of each", words[0], table, rows, digests)
			}
		}
	}
}
