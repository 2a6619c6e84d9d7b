package index

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestADirectoryDoesNotGrowForEver(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	put := func(name string, age time.Duration, size int64) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, size), os.Chtimes(path, now, now.Add(-age))); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keep := []string{
		put("new.index", time.Hour, 10),
		put("used.index", ageMax-time.Hour, 10),
		put("large.index", 2*time.Hour, sizeMax-100),
		put("other.txt", 9*ageMax, 10),
		put(".fresh.index1", time.Minute, 10),
	}
	gone := []string{
		put("old.index", ageMax+time.Hour, 10),
		put("beyond.index", ageMax-2*time.Hour, 1000),
		put(".crashed.index2", 2*time.Hour, 10),
	}
	openDir(dir, func(err error) { t.Error(err) })
	for _, path := range keep {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s is gone", path)
		}
	}
	for _, path := range gone {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}
