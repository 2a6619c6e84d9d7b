package fs

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenFile is a file or directory of a mount that a process has open, or in which it
// works.
type OpenFile struct {
	Path    string
	Program string
	Process int
}

// openFiles returns what is open of the mount with a device number, as far as /proc lets
// this user see it. Nothing is asked of the mount: its server may be gone.
func openFiles(major, minor int) (found []OpenFile) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		pid, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			continue
		}
		links, _ := filepath.Glob(process + "/fd/*")
		seen := map[string]bool{}
		for _, link := range append(links, process+"/cwd", process+"/root", process+"/exe") {
			if !leadsTo(link, major, minor) {
				continue
			}
			path, err := os.Readlink(link)
			if err != nil || seen[path] { // closed meanwhile
				continue
			}
			seen[path] = true
			name, _ := os.ReadFile(process + "/comm") // of a process that may have ended
			found = append(found, OpenFile{path, strings.TrimSpace(string(name)), pid})
		}
	}
	return found
}

// leadsTo reports whether a link of /proc leads to a file on a device. The kernel
// answers from what it knows.
func leadsTo(link string, major, minor int) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, link, unix.AT_STATX_DONT_SYNC, 0, &st)
	return err == nil && int(st.Dev_major) == major && int(st.Dev_minor) == minor
}
