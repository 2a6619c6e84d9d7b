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

// After a clock was set back, files are dated in the future: they go before others where
// there is too much, and are not kept for ever.
func TestFilesOfTheFutureDoNotStayForEver(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	put := func(name string, at time.Time, size int64) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, size), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	small := put("small.index", now.Add(24*time.Hour), 10)
	large := put("large.index", time.Unix(1<<32, 0), sizeMax-1000)
	used := put("used.index", now.Add(-time.Hour), 2000)
	beside := put("beside.index", now.Add(time.Minute), 10) // another host's clock
	crashed := put(".crashed.index1", now.Add(2*time.Hour), 10)
	openDir(dir, func(err error) { t.Error(err) })
	for path, stays := range map[string]bool{small: true, large: false, used: true, beside: true, crashed: false} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v, want it to be there: %v", path, err, stays)
		}
	}
	if info, err := os.Stat(small); err != nil || info.ModTime().After(time.Now()) {
		t.Errorf("%s is still dated in the future: %v", small, err)
	}
	openDir(dir, nil).prune(now.Add(ageMax + time.Hour))
	if _, err := os.Stat(small); err == nil {
		t.Errorf("%s is there although it was not used for long", small)
	}
}
