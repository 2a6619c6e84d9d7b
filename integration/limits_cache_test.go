package integration

import (
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/faultfs"
)

// diskFault is one way in which the disk of the cache fails.
type diskFault struct {
	name   string
	script faultfs.Script
}

// diskFaults are errors, delays and wrong answers, of each kind of call and of all.
func diskFaults() (list []diskFault) {
	all := []faultfs.Op{
		faultfs.Lookup, faultfs.Getattr, faultfs.Setattr, faultfs.Open, faultfs.Create, faultfs.Read, faultfs.Write,
		faultfs.Fsync, faultfs.Rename, faultfs.Unlink, faultfs.Mkdir, faultfs.Opendir, faultfs.Readdir, faultfs.Statfs,
	}
	add := func(name string, fault faultfs.Fault, ops ...faultfs.Op) {
		for _, op := range ops {
			list = append(list, diskFault{name + " of " + string(op), faultfs.On(op, "/", fault)})
		}
	}
	add("EIO", faultfs.Fault{Errno: syscall.EIO}, all...)
	add("ENOSPC", faultfs.Fault{Errno: syscall.ENOSPC}, faultfs.Create, faultfs.Write, faultfs.Mkdir, faultfs.Rename)
	add("EROFS", faultfs.Fault{Errno: syscall.EROFS}, faultfs.Create, faultfs.Mkdir, faultfs.Setattr)
	add("short", faultfs.Fault{Short: true}, faultfs.Read, faultfs.Write)
	add("flip", faultfs.Fault{Flip: true}, faultfs.Read)
	add("a wrong size", faultfs.Fault{Grow: 7}, faultfs.Lookup, faultfs.Getattr)
	add("delay", faultfs.Fault{Delay: 20 * time.Millisecond}, faultfs.Create, faultfs.Open, faultfs.Write, faultfs.Read)
	return append(list, diskFault{"EIO of everything", func(faultfs.Call) faultfs.Fault { return faultfs.Fault{Errno: syscall.EIO} }})
}

// Whatever the disk of the cache does, bundles have the right bytes, nothing hangs, and
// there is one warning at most of sizes and one of segments. When the disk is well again,
// all is right. SOAK tries all faults, else a few are tried.
func TestACacheOnADiskThatFails(t *testing.T) {
	t.Parallel()
	site, point, behind := deflatingSiteOf(t, 4<<20), privateDir(t), privateDir(t)
	want := rightChecksums(t, site)
	disk := failingDisk(t, behind, point)
	faults := diskFaults()
	random := rand.New(rand.NewPCG(randomSeed(t), 0))
	random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	if !soaking() {
		faults = faults[:5]
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			for _, when := range []string{"empty", "filled"} {
				if when == "empty" {
					shell(t, behind, `rm -rf -- * .[!.]*`)
				}
				disk.Set(fault.script)
				m := mountSite(t, site.Dir(), "--cache-dir", point, "--memory", "4MiB")
				expectText(t, "checksums with a cache that was "+when, checksums(t, m.dir), want)
				m.stop(t)
				for _, what := range []string{"segments are not cached on disk", "checksums are not kept on disk"} {
					if n := strings.Count(m.wholeLog(), what); n > 1 {
						t.Errorf("%d warnings: %s", n, m.log)
					}
				}
				disk.Set(nil)
				m = mountSite(t, site.Dir(), "--cache-dir", point, "--memory", "4MiB")
				expectText(t, "checksums when the disk is well", checksums(t, m.dir), want)
				m.stop(t)
			}
		})
	}
	if len(segmentFiles(t, behind)) == 0 {
		t.Error("nothing is cached when the disk is well")
	}
}
