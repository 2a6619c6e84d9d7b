package source

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// A mount that was made while there were no descriptors left is seen afterwards: a
// look at it would wait for itself.
func TestAMountIsSeenAlthoughTheTableCouldNotBeReadAtFirst(t *testing.T) {
	m, err := newMounts()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.close() })
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
		t.Skipf("nothing can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	before := m.turn
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	_, failed := m.refresh()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if failed == nil {
		t.Fatal("the table was read without a descriptor")
	}
	if turn, err := m.refresh(); err != nil || turn == before {
		t.Errorf("after %v: turn %d as before, %v", failed, turn, err)
	}
}

// A slow look that began before a mount must not lead a later one into the mount.
func TestASlowLookDoesNotHideAMount(t *testing.T) {
	root := siteRoot(t, "/")
	paths := &root.paths
	reached, goOn := make(chan struct{}), make(chan struct{})
	slow := true
	plain := paths.readlink
	paths.readlink = func(name string) (string, error) {
		if name == "/fake/mnt" && slow {
			slow = false
			close(reached)
			<-goOn
		}
		if name == "/fake" || name == "/fake/mnt" || name == "/fake/mnt/a" {
			return "", unix.EINVAL // no link
		}
		return plain(name)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = paths.resolve("/fake/mnt/a", true)
	}()
	<-reached
	pretend(t, root, "/fake/mnt", true)
	if _, err := paths.resolve("/", true); err != nil { // sees the new table
		t.Fatal(err)
	}
	close(goOn)
	<-done
	var own OwnMountError
	if _, err := paths.resolve("/fake/mnt/a", true); !errors.As(err, &own) {
		t.Errorf("a later look goes into the mount: %v", err)
	}
}
