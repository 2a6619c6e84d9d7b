package fs

import (
	"fmt"
	"os"
	"strings"
)

// mountInfo is what the kernel says of a mount (proc_pid_mountinfo(5)).
type mountInfo struct {
	device string // MAJOR:MINOR
	ours   bool   // whether an imgexportfs is or was behind it
}

// findMount looks up the mount that covers dir, which is spelt as the kernel
// spells it. The mount itself is not touched: its server may be this process,
// or gone.
func findMount(dir string) (found mountInfo, ok bool, err error) {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return mountInfo{}, false, fmt.Errorf("list of mounts: %w", err)
	}
	for line := range strings.Lines(string(table)) {
		front, back, separated := strings.Cut(line, " - ")
		fields := strings.Fields(front)
		if separated && len(fields) > 4 && unescapeMount(fields[4]) == dir {
			// The last one covers those before it.
			found, ok = mountInfo{fields[2], strings.HasPrefix(back, "fuse."+fsName+" ")}, true
		}
	}
	return found, ok, nil
}

// unescapeMount undoes the octal escapes of blanks and backslashes.
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// readSize is how much the kernel asks for at once, and how far it reads
// ahead: one segment.
const readSize = 1 << 20

// readFurtherAhead lets the kernel read ahead of sequential readers by more
// than its default of 128 KiB. Only root may.
func readFurtherAhead(dir string) error {
	dir, err := realMountPoint(dir)
	if err != nil {
		return err
	}
	m, ok, err := findMount(dir)
	if err != nil || !ok {
		return err
	}
	return os.WriteFile("/sys/class/bdi/"+m.device+"/read_ahead_kb", fmt.Appendf(nil, "%d\n", readSize>>10), 0)
}
