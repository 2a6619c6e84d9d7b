package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

// Until the file has its name, a signal leaves what was there.
func TestASignalBehindTheLastByteStillCounts(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	b := healthy()
	_, err := writeFile(ctx, filepath.Join(dir, "foo.tgz"), b, func(done int64) {
		if done == int64(len(b.content)) {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	onlyFile(t, dir)
}
