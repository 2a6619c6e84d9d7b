package integration

import (
	"fmt"
	"testing"
	"time"

	"imgexportfs/integration/faultfs"
)

// A tree on a file server that takes its time for each of many files is not taken for one
// that does not answer: a change shows at the first look, and the log has no complaint.
func TestALargeDirectoryOnASlowServerDoesNotHang(t *testing.T) {
	t.Parallel() // it waits most of the time
	site := newSite(t)
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	makeCrowd(t, site.Path(site.TreeDir("lite")+"/crowd"), 1, 70)
	slow := misbehaving(t, site)
	slow.Set(func(c faultfs.Call) (f faultfs.Fault) {
		if c.Op == faultfs.Listxattr { // a call of the walk only
			f.Delay = 60 * time.Millisecond
		}
		return f
	})
	m := mountSite(t, site.Dir(), "--refresh", "20ms")
	last := statOne(t, m.path("lite.tgz"))
	for i := range 2 {
		run(t, "touch", slow.real(site.TreeDir("lite")+fmt.Sprint("/crowd/new", i)))
		began := time.Now()
		now := statOne(t, m.path("lite.tgz"))
		t.Logf("a look takes %v", time.Since(began))
		if now.inode == last.inode {
			t.Errorf("change %d does not show: %s", i, m.wholeLog())
		}
		last = now
	}
	expectNot(t, m.wholeLog(), "do not answer")
}
