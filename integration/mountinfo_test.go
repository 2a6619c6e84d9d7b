package integration

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// mountPoint is one line of /proc/self/mountinfo.
type mountPoint struct {
	dir    string
	fstype string
}

// mountPoints reads what is mounted from the kernel's list, which, unlike
// stat(2) on a mount, never asks a file server anything.
func mountPoints() ([]mountPoint, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMountinfo(string(data)), nil
}

// parseMountinfo understands the format of proc(5): the mount point is the
// fifth field, the type follows a lone dash after the optional fields.
func parseMountinfo(text string) []mountPoint {
	var points []mountPoint
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Split(before, " "), strings.Split(after, " ") // a name may hold other white space
		if !ok || len(left) < 5 || len(right) < 1 {
			continue
		}
		points = append(points, mountPoint{dir: unescapeOctal(left[4]), fstype: right[0]})
	}
	return points
}

// unescapeOctal resolves \040 and the like.
func unescapeOctal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// mountedOn returns the type of what is mounted on dir, "" for nothing.
func mountedOn(dir string) (string, error) {
	points, err := mountPoints()
	if err != nil {
		return "", err
	}
	for _, p := range points {
		if p.dir == dir {
			return p.fstype, nil
		}
	}
	return "", nil
}

// unmountLeftovers detaches everything mounted below dir and says what it was.
func unmountLeftovers(dir string) []string {
	points, err := mountPoints()
	if err != nil {
		return []string{err.Error()}
	}
	var left []string
	for _, p := range points {
		if strings.HasPrefix(p.dir, dir+"/") {
			left = append(left, p.dir+" ("+p.fstype+")")
			_ = exec.Command("umount", "-f", p.dir).Run() // wakes who waits for it; fails while it is in use
			if err := exec.Command("umount", "-l", p.dir).Run(); err != nil {
				left = append(left, "and umount -l failed: "+err.Error())
			}
		}
	}
	return left
}

func TestMountinfoIsReadWithOptionalFieldsAndEscapes(t *testing.T) {
	const text = "36 35 98:0 / /plain rw,noatime - ext4 /dev/root rw\n" +
		`37 35 0:42 / /with\040blank\011tab rw shared:1 master:2 - fuse.imgexportfs imgexportfs rw,user_id=0` + "\n" +
		"torn line\n"
	got := parseMountinfo(text)
	want := []mountPoint{{"/plain", "ext4"}, {"/with blank\ttab", "fuse.imgexportfs"}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("parseMountinfo = %+v, want %+v", got, want)
	}
}
