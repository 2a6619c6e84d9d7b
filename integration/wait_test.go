package integration

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// eventually polls until ok is true. What a mount shows of a change may come
// as late as its refresh interval and the kernel's cache allow.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// nobody is a user without rights.
func nobody() *syscall.Credential { return &syscall.Credential{Uid: 65534, Gid: 65534} }

// openTheWay lets every user reach dir, which is below the tests' own
// directory, without changing dir itself.
func openTheWay(t *testing.T, dir string) {
	t.Helper()
	for parent := filepath.Dir(dir); strings.HasPrefix(parent, scratch); parent = filepath.Dir(parent) {
		must(t, os.Chmod(parent, 0o755))
	}
}
