package main

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"syscall"
)

// removeLeftovers removes a directory of tests. A test that was ended may have left
// mounts in it, and those must not be entered.
func removeLeftovers(dir string) {
	for _, mount := range mountsBelow(dir) {
		_ = syscall.Unmount(mount, syscall.MNT_DETACH)
	}
	if len(mountsBelow(dir)) == 0 {
		_ = os.RemoveAll(dir)
	}
}

// mountsBelow returns the mount points below a directory, the deepest first.
func mountsBelow(dir string) (mounts []string) {
	table, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer func() { _ = table.Close() }()
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for lines := bufio.NewScanner(table); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		if mount := unescape.Replace(fields[4]); strings.HasPrefix(mount, dir+"/") {
			mounts = append(mounts, mount)
		}
	}
	slices.Sort(mounts)
	slices.Reverse(mounts)
	return mounts
}
