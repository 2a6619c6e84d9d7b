package db

import (
	"os"
	"path/filepath"
	"testing"

	"imgexportfs/bundle/source"
)

// What SQLite keeps beside a table counts as the table does: a log that grows in the same file
// holds new rows.
func TestATableChangesWithTheFilesBesideIt(t *testing.T) {
	dir := t.TempDir()
	root, err := source.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	files := newTableFiles(root, "/", SQLite)
	last := fileState{}
	for _, grows := range []string{"osimage.sqlite", "osimage.sqlite-wal", "osimage.sqlite-wal", "osimage.sqlite-journal", "osimage.sqlite-journal"} {
		f, err := os.OpenFile(filepath.Join(dir, grows), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("more"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		state, err := files.state("/osimage.sqlite")
		if err != nil || state == last {
			t.Errorf("%s has grown, and the table is the same: %v", grows, err)
		}
		last = state
	}
}
