package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// onlyProgress is what an export says that goes well: nothing, unless it takes seconds.
var onlyProgress = regexp.MustCompile(`^(bar: .*% done.*\n)*$`)

// The other host has the rules of this one: see TestExportDestinations.
func TestRemoteExportDestinations(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 1000)
	h := startRemoteHost(t)
	local := t.TempDir()
	expectCode(t, program(t, local, "export", "--root", site.Dir(), "bar"), 0)
	want := strings.Fields(run(t, "sha256sum", filepath.Join(local, "bar.tgz")))[0]
	for _, c := range []struct{ path, file string }{
		{"", "bar.tgz"},
		{"other", "other"},
		{"sub/x.tgz", "sub/x.tgz"},
		{"sub", "sub/bar.tgz"},
		{"sub/", "sub/bar.tgz"},
		{"link", "sub/bar.tgz"},
		{"filelink", "sub/aim"},
		{"-dash it's $(touch x)", "-dash it's $(touch x)"},
		{filepath.Join(h.home, "sub/absolute"), "sub/absolute"},
	} {
		shell(t, h.home, `rm -rf -- * && mkdir sub && ln -s sub link && echo old > sub/aim && ln -s sub/aim filelink`)
		work := t.TempDir()
		r := h.export(t, site.Dir(), work, "root@mn2", c.path)
		expectCode(t, r, 0)
		if !strings.HasPrefix(r.stdout, "Exporting bar to root@mn2...\n") || !strings.HasSuffix(r.stdout, "\nDone!\n") || !onlyProgress.MatchString(r.stderr) {
			t.Errorf("%q: stdout %q, stderr %q", c.path, r.stdout, r.stderr)
		}
		sum := run(t, "sha256sum", "--", filepath.Join(h.home, c.file))
		if got := strings.Fields(sum)[0]; got != want {
			t.Errorf("%q: the bundle has sum %s, want %s", c.path, got, want)
		}
		expectText(t, "private files", shell(t, h.home, `find . -type f -perm 600 -printf '%P\n'`), c.file+"\n")
		expectText(t, "links", shell(t, h.home, `readlink link filelink`), "sub\nsub/aim\n")
		expectText(t, "hidden files", shell(t, h.home, `find . -name '.?*'`), "")
		expectLines(t, "files on this side", listing(t, work), nil)
	}
}

func TestRemoteExportBadDestinations(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 1000)
	h := startRemoteHost(t)
	shell(t, h.home, `mkfifo fifo; mknod null c 1 3; echo file > file; ln -s nowhere dangling; ln -s /dev/null nulllink
		ln -s fifo fifolink; mkdir -p taken/bar.tgz`)
	before := h.files(t)
	for path, says := range map[string]string{
		"missing/x.tgz":          "there is no directory",
		"missing/":               "there is no directory",
		"file/":                  "there is no directory",
		"file/x.tgz":             "there is no directory",
		"fifo":                   "is a fifo",
		"fifolink":               "is a fifo",
		"null":                   "is a device",
		"nulllink":               "is a device",
		"/dev/null":              "is a device",
		"/dev/stdout":            "is a device",
		"dangling":               "symbolic link to nothing",
		"taken":                  "taken/bar.tgz: is a directory",
		strings.Repeat("x", 256): "was not written",
	} {
		r := h.export(t, site.Dir(), t.TempDir(), "root@mn2", path)
		expectCode(t, r, exitWrite)
		expectContains(t, "stderr", r.stderr, says, "Error: copy to root@mn2: nothing was written there")
		if strings.Contains(r.stdout, "Done!") || strings.Contains(r.stderr, "pipe") {
			t.Errorf("%q: stdout %q, stderr %q", path, r.stdout, r.stderr)
		}
	}
	expectText(t, "files", h.files(t), before)
	expectText(t, "/dev/null", run(t, "stat", "-c", "%F", "/dev/null"), "character special file\n")
}

// Whatever fails, and whenever, the old bundle stays and nothing is left on either side.
func TestRemoteHostsThatFail(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 8<<20)
	h := startRemoteHost(t)
	const original = ` | sh -c "$SSH_ORIGINAL_COMMAND"`
	for _, c := range []struct{ name, host, script, says string }{
		{"before: nobody listens", "root@closed", serves, "Connection refused"},
		{"before: never answers", "root@silent", serves, "timed out"},
		{"before: another key", "root@stranger", serves, "verification failed"},
		{"before: no login", "root@mn2", `echo "This account is not available."; exit 1`, "This account is not available"},
		{"before: another command", "root@mn2", `cat >/dev/null`, "is the account limited to one?"},
		{"before: lost", "root@mn2", `kill -9 $PPID`, "the host has ended the session"},
		{"in the middle: too short", "root@mn2", `head -c 300000` + original, "ends after 300000 bytes"},
		{"in the middle: lost", "root@mn2", `{ head -c 300000; kill -9 $PPID; }` + original, "the host has ended the session"},
		{"in the middle: killed", "root@mn2", `(sleep 0.3; kill -TERM 0) & { head -c 300000; sleep 5; }` + original, "the host has ended the session"},
		{"in the middle: hangs", "root@mn2", `{ head -c 300000; kill -STOP $PPID; sleep 6; kill -CONT $PPID; }` + original, "not responding"},
		{"at the end: last byte missing", "root@mn2", `head -c -1` + original, "the sender has failed"},
		{"at the end: no name", "root@mn2", `{ cat; mv old aside; mkdir -p old/full; }` + original + `; status=$?; rm -r old; mv aside old; exit $status`, "was not written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shell(t, h.home, `rm -rf -- *; echo old > old`)
			h.does(t, c.script)
			work := t.TempDir()
			started := time.Now()
			r := h.export(t, site.Dir(), work, c.host, "old")
			t.Logf("%v: %s", time.Since(started).Round(time.Millisecond), r.stderr)
			expectCode(t, r, exitWrite)
			expectContains(t, "stderr", r.stderr, c.says, "Error: copy to "+c.host)
			if strings.Contains(r.stdout, "Done!") {
				t.Errorf("stdout %q, stderr %q", r.stdout, r.stderr)
			}
			eventually(t, "nothing is left there", func() bool { return h.files(t) == "old f 644" })
			expectText(t, "the old bundle", run(t, "cat", h.home+"/old"), "old\n")
			expectLines(t, "files on this side", listing(t, work), nil)
		})
	}
}

// A full disk on the other host.
func TestRemoteExportToAFullDisk(t *testing.T) {
	site := smallSite(t, 8<<20)
	h := startRemoteHost(t)
	run(t, "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", h.home)
	t.Cleanup(func() { run(t, "umount", h.home) })
	must(t, os.WriteFile(h.home+"/bar.tgz", []byte("old"), 0o640))
	r := h.export(t, site.Dir(), t.TempDir(), "root@mn2", "")
	expectCode(t, r, exitWrite)
	expectContains(t, "stderr", r.stderr, "No space left on device", "Error: copy to root@mn2: nothing was written there")
	expectText(t, "files", h.files(t), "bar.tgz f 640")
}

// A connection that is lost when everything is sent leaves the old bundle or the new
// one, complete.
func TestRemoteExportIsCompleteOrNotThere(t *testing.T) {
	site := smallSite(t, 1<<20)
	h := startRemoteHost(t)
	h.does(t, `{ cat; kill -9 $PPID; } | sh -c "$SSH_ORIGINAL_COMMAND"`)
	expectCode(t, h.export(t, site.Dir(), t.TempDir(), "root@mn2", ""), exitWrite)
	eventually(t, "the receiver has ended", func() bool { return h.files(t) == "" || h.files(t) == "bar.tgz f 600" })
	if _, err := os.Stat(h.home + "/bar.tgz"); err == nil {
		mustReadTarball(t, h.home+"/bar.tgz")
	}
}

// A signal ends an export at once, whatever the other host does, and nothing is left.
func TestSignalEndsARemoteExport(t *testing.T) {
	t.Parallel()
	site := smallSite(t, 8<<20)
	h := startRemoteHost(t)
	for _, c := range []struct{ name, host, script string }{
		{"silent", "root@silent", serves},
		{"stuck", "root@mn2", `touch begun; { head -c 300000; sleep 2; }` + ` | sh -c "$SSH_ORIGINAL_COMMAND"`},
	} {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
			t.Run(fmt.Sprint(c.name, " ", sig), func(t *testing.T) {
				shell(t, h.home, `rm -rf -- *`)
				h.does(t, c.script)
				work := t.TempDir()
				cmd, ended := h.startExport(t, site.Dir(), work, c.host, "")
				if c.name == "stuck" {
					eventually(t, "the receiver has begun", func() bool { return strings.Contains(h.files(t), ".imgexport-") })
				} else {
					time.Sleep(300 * time.Millisecond)
				}
				sent := time.Now()
				must(t, cmd.Process.Signal(sig))
				<-ended
				if took := time.Since(sent); took > 2*time.Second {
					t.Errorf("the export ended %v after the signal", took)
				}
				if code := exitCode(cmd.ProcessState); code != 128+int(sig) {
					t.Errorf("exit code %d, want %d", code, 128+int(sig))
				}
				eventually(t, "nothing is left there", func() bool { f := h.files(t); return f == "" || f == "begun f 644" })
				expectLines(t, "files on this side", listing(t, work), nil)
			})
		}
	}
}
