package disk

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// What does not fit leaves nothing behind that takes room as well.
func TestAFullDiskHoldsNoHalfSegments(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("no tmpfs here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	k, _ := segment(1)
	if err := writeFile(dir+"/00/segment", k, make([]byte, 1<<20)); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("writing gives %v", err)
	}
	if paths, total := files(t, dir); len(paths) != 0 {
		t.Errorf("%q of %d bytes are left", paths, total)
	}
}

// A file that is of no use is not there for those who only look whether it is.
func TestADamagedSegmentIsRemoved(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 1<<30, 1)
	c := open(t, dir, 1<<30)
	k, _ := segment(1)
	if err := os.Truncate(c.path(k), 100); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(k, most); ok {
		t.Error("it is taken")
	}
	if c.Has(k) {
		t.Error("it is still there")
	}
}
