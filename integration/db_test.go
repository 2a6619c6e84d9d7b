package integration

import (
	"testing"
)

// TestDatabases holds what the tests of database servers share: one private
// server of each kind, which is started here and gone when this ends. Every
// test has a database of its own on them. What is measured runs alone; then the
// tests of one server, some of which stop it, follow each other beside those of
// the other.
func TestDatabases(t *testing.T) {
	certificates := makeCertificates(t)
	maria := newMariaDB(t, certificates)
	servers := []dbServer{running(t, maria), running(t, newPostgres(t, certificates))}
	for _, s := range servers {
		t.Run(s.name()+"/Speed", func(t *testing.T) { testDBSpeed(t, s) })
	}
	t.Parallel()
	t.Run("Conformance", func(t *testing.T) { testDBConformance(t, servers) })
	t.Run("ScaleOut", func(t *testing.T) { testDBScaleOut(t, servers) })
	for _, s := range servers {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			for _, test := range dbTests(certificates) {
				t.Run(test.name, func(t *testing.T) { test.test(t, s) })
			}
			if s == dbServer(maria) {
				t.Run("Collations", func(t *testing.T) { testMariaDBCollations(t, maria) })
				t.Run("Comparisons", func(t *testing.T) { testMariaDBComparisons(t, maria) })
				t.Run("ReadOnce", func(t *testing.T) { testMariaDBReadOnce(t, maria) })
				t.Run("OddTables", func(t *testing.T) { testMariaDBOddTables(t, maria) })
			}
		})
	}
}

// dbTest is a test of any kind of server.
type dbTest struct {
	name string
	test func(t *testing.T, s dbServer)
}

func dbTests(certificates certificates) []dbTest {
	return []dbTest{
		{"Dump", testDBDump},
		{"EveryChangeShows", testDBEveryChangeShows},
		{"RowsOfOneMoment", testDBRowsOfOneMoment},
		{"StatusOfNodesIsNoChange", testDBStatusOfNodesIsNoChange},
		{"Text", testDBText},
		{"OldAndNewSchemas", testDBOldAndNewSchemas},
		{"WrongLocations", testDBWrongLocations},
		{"TLS", func(t *testing.T, s dbServer) { testDBTLS(t, s, certificates) }},
		{"Disable", testDBDisable},
		{"Rights", testDBRights},
		{"KilledConnection", testDBKilledConnection},
		{"TooManyConnections", testDBTooManyConnections},
		{"LockedTable", testDBLockedTable},
		{"SilentServer", testDBSilentServer},
		{"LostServer", testDBLostServer},
		{"MountOutlivesItsServer", testDBMountOutlivesItsServer},
		{"PasswordStaysHidden", testDBPasswordStaysHidden},
	}
}
