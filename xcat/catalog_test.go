package xcat

import (
	"testing"

	"imgexportfs/xcat/db"
)

func TestACatalogCannotBeChangedFromOutside(t *testing.T) {
	c := newCatalog(tablesOf(map[string][]Row{"osimage": {{"imagename": "a", "osvers": "v"}, {"imagename": "b"}}}))
	c.Images()[0] = "x"
	row, ok := c.OSImage("a")
	if !ok {
		t.Fatal("no image a")
	}
	row["osvers"] = "changed"
	if again, _ := c.OSImage("a"); again["osvers"] != "v" || c.Images()[0] != "a" {
		t.Error("a caller can change the catalog")
	}
	if _, ok := c.OSImage("none"); ok {
		t.Error("there is a row of no image")
	}
}

func TestTheCatalogOfNoTablesIsEmpty(t *testing.T) {
	if c := newCatalog(db.Tables{}); len(c.Images()) != 0 || c.installDir() != "/install" {
		t.Error("the catalog of an empty site is not empty")
	}
}
