package integration

import (
	"testing"
)

// TestDatabases holds what the tests of database servers share: one private
// server of each kind, which is started here and gone when this ends. Every
// test has a database of its own on them.
func TestDatabases(t *testing.T) {
	certificates := makeCertificates(t)
	maria := newMariaDB(t, certificates)
	servers := []dbServer{running(t, maria), running(t, newPostgres(t, certificates))}
	t.Run("Conformance", func(t *testing.T) { testDBConformance(t, servers) })
	t.Run("ScaleOut", func(t *testing.T) { testDBScaleOut(t, servers) })
	t.Run("MariaDB/Collations", func(t *testing.T) { testMariaDBCollations(t, maria) })
	t.Run("MariaDB/Comparisons", func(t *testing.T) { testMariaDBComparisons(t, maria) })
	t.Run("MariaDB/ReadOnce", func(t *testing.T) { testMariaDBReadOnce(t, maria) })
	t.Run("MariaDB/OddTables", func(t *testing.T) { testMariaDBOddTables(t, maria) })
	tests := []struct {
		name string
		test func(t *testing.T, s dbServer)
	}{
		{"Speed", testDBSpeed},
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
	for _, s := range servers {
		for _, test := range tests {
			t.Run(s.name()+"/"+test.name, func(t *testing.T) { test.test(t, s) })
		}
	}
}
