package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A site of ten thousand images loads from a server in less than a second.
func testDBSpeed(t *testing.T, s dbServer) {
	const images = 10_000
	root := conformanceSite(t)
	s.create(t, "big")
	for _, name := range dbTables {
		table := copyTable(t, root, name)
		table.rows = manyRows(table, images)
		s.exec(t, "big", table.definition(s))
		insertRows(t, s, "big", table)
	}
	s.grant(t, "big", "")
	best, look := time.Hour, time.Hour
	for range 3 {
		start := time.Now()
		site := openSite(t, root, s.cfgloc("big"))
		best = min(best, time.Since(start))
		catalog, err := site.Catalog(t.Context())
		must(t, err)
		if n := len(catalog.Images()); n != images {
			t.Fatalf("%d images, want %d", n, images)
		}
		start = time.Now()
		if _, err := site.Catalog(t.Context()); err != nil {
			t.Fatal(err)
		}
		look = min(look, time.Since(start))
	}
	t.Logf("%s: %d images in three tables load in %v, a look for changes takes %v", s.name(), images, best, look)
	if best > time.Second {
		t.Errorf("loading takes %v, want less than a second", best)
	}
}

// manyRows makes rows for the tables that have one for each image.
func manyRows(table tableCopy, images int) [][][]byte {
	var rows [][][]byte
	switch table.name {
	case "osimage", "linuximage", "litefile":
	default:
		return nil
	}
	for i := range images {
		row := make([][]byte, len(table.columns))
		for j, column := range table.columns {
			switch column.name {
			case "imagename", "image":
				row[j] = fmt.Appendf(nil, "rhels9.2-x86_64-netboot-compute-%05d", i)
			case "file":
				row[j] = []byte("/etc/fstab")
			case "comments", "disable":
			default:
				if j%2 == 0 {
					row[j] = fmt.Appendf(nil, "/install/custom/netboot/rh/%s.%05d", column.name, i)
				}
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// insertRows inserts plain values, many at a time.
func insertRows(t *testing.T, s dbServer, database string, table tableCopy) {
	t.Helper()
	const batch = 500
	for start := 0; start < len(table.rows); start += batch {
		var tuples []string
		for _, row := range table.rows[start:min(start+batch, len(table.rows))] {
			values := make([]string, len(row))
			for i, v := range row {
				values[i] = "NULL"
				if v != nil {
					values[i] = sqlText(string(v))
				}
			}
			tuples = append(tuples, "("+strings.Join(values, ",")+")")
		}
		s.exec(t, database, "INSERT INTO "+s.quote(table.name)+" VALUES "+strings.Join(tuples, ","))
	}
}
