package integration

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serviceManager is the other end of sd_notify(3).
func serviceManager(t *testing.T) (socket string, next func() string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return socket, func() string {
		t.Helper()
		must(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
		message := make([]byte, 4096)
		n, err := c.Read(message)
		if err != nil {
			t.Fatalf("nothing is said: %v", err)
		}
		return string(message[:n])
	}
}

// A service says when its mount answers, what it shows, that SIGHUP has been followed,
// and that it ends. SIGHUP ends no service.
func TestServiceTellsItsManager(t *testing.T) {
	needFUSE(t)
	site := smallSite(t, 1000)
	socket, next := serviceManager(t)
	dir := t.TempDir()
	m := startServer(t, dir, site.Dir(), []string{"NOTIFY_SOCKET=" + socket})
	t.Cleanup(func() { m.stop(t) })
	ready := next()
	expectContains(t, "the first message", ready, "READY=1\n", "STATUS=2 images of SQLite:/etc/xcat on "+dir)
	expectLines(t, "files", typesOf(t, dir, "foo.tgz"), []string{"foo.tgz regular file"})
	for m.signal(t, syscall.SIGHUP); ; {
		said := next()
		if strings.HasPrefix(said, "STATUS=") {
			continue
		}
		expectContains(t, "the answer to SIGHUP", said, "RELOADING=1\nMONOTONIC_USEC=")
		break
	}
	expectText(t, "the end of reloading", next(), "READY=1")
	m.signal(t, syscall.SIGTERM)
	expectText(t, "the end", next(), "STOPPING=1")
	if code := m.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, m.log)
	}
}

// The line of systemctl status tells when the database cannot be read.
func TestServiceTellsOfItsDatabase(t *testing.T) {
	t.Parallel()
	needFUSE(t)
	site := smallSite(t, 1000)
	socket, next := serviceManager(t)
	m := startServer(t, t.TempDir(), site.Dir(), []string{"NOTIFY_SOCKET=" + socket}, "--refresh", "0.05")
	t.Cleanup(func() { m.stop(t) })
	expectContains(t, "the first message", next(), "READY=1\n")
	must(t, os.Rename(site.Path("/etc/xcat"), site.Path("/etc/gone")))
	ended := make(chan struct{})
	defer close(ended)
	go func() { // rows are looked at when somebody asks
		for {
			select {
			case <-ended:
				return
			case <-time.After(50 * time.Millisecond):
				_, _ = os.ReadDir(m.dir)
			}
		}
	}()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if strings.Contains(next(), "; the database cannot be read since ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the status does not tell that the database is gone")
		}
	}
}

// What make install installs is found by mount(8) and taken by systemd, and the service
// is hardened as far as its mount stays visible.
func TestInstalledUnitsAreRight(t *testing.T) {
	needRoot(t)
	needTools(t, "make", "systemd-analyze")
	dest := t.TempDir()
	run(t, "make", "-s", "-C", "..", "install", "BINARY="+programFile, "DESTDIR="+dest, "PREFIX=/usr")
	for _, helper := range []string{"mount.imgexportfs", "mount.fuse.imgexportfs"} {
		if to, err := os.Readlink(dest + "/sbin/" + helper); err != nil || to != "/usr/bin/imgexportfs" {
			t.Errorf("/sbin/%s leads to %q (%v)", helper, to, err)
		}
	}
	unit := dest + "/usr/lib/systemd/system/imgexportfs@.service"
	text, err := os.ReadFile(unit)
	must(t, err)
	inPlace := strings.ReplaceAll(string(text), "/usr/bin/imgexportfs", dest+"/usr/bin/imgexportfs")
	must(t, os.WriteFile(unit, []byte(inPlace), 0o644))
	examples, err := filepath.Glob("../packaging/systemd/*mount")
	must(t, err)
	if len(examples) != 2 {
		t.Errorf("the examples are %q", examples)
	}
	for _, file := range append(examples, unit) {
		r := process{args: []string{"systemd-analyze", "verify", "--man=no", file}}.run(t)
		expectText(t, "words of systemd-analyze verify", r.stdout+r.stderr, "")
	}
	run(t, "systemd-analyze", "security", "--offline=true", "--threshold=50", unit)
	for line := range strings.Lines(string(text)) {
		for _, hiding := range []string{"PrivateMounts", "PrivateTmp", "PrivateDevices", "Protect", "MountFlags", "ReadOnly", "ReadWrite", "Inaccessible", "Root", "Bind", "TemporaryFileSystem", "DynamicUser"} {
			if strings.HasPrefix(line, hiding) {
				t.Errorf("the mount of the service would be hidden by %s", line)
			}
		}
	}
}

// The rights that the unit leaves are enough to mount, read, and unmount.
func TestRightsOfTheUnitAreEnough(t *testing.T) {
	needFUSE(t)
	needTools(t, "setpriv")
	unit, err := os.ReadFile("../packaging/systemd/imgexportfs@.service")
	must(t, err)
	_, rest, _ := strings.Cut(string(unit), "\nCapabilityBoundingSet=")
	line, _, _ := strings.Cut(rest, "\n")
	rights := "-all"
	for _, right := range strings.Fields(line) {
		rights += ",+" + strings.ToLower(strings.TrimPrefix(right, "CAP_"))
	}
	site := bulkSite(t)
	dir := t.TempDir()
	shell(t, t.TempDir(), `
		limited=(setpriv --bounding-set "$1" --inh-caps=-all --no-new-privs)
		trap '"$2" umount --quiet "$4"' EXIT
		"${limited[@]}" "$2" mount --daemon --root "$3" "$4"
		cp "$4/statelite.tgz" .
		"${limited[@]}" "$2" umount "$4"`, rights, programFile, site.Dir(), dir)
}
