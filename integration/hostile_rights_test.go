package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// fileCapability is the attribute that lets a program read every file: struct vfs_cap_data
// of revision 2, effective, with CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
var fileCapability = []byte{1, 0, 0, 2, 1<<1 | 1<<2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

// A program of an image that would run as root gives nobody anything on a mount: neither its
// setuid bit nor its capabilities count, whatever the options ask for, and they are not
// shown. A device of an image cannot be opened.
func TestProgramsAndDevicesOfImagesGiveNoRights(t *testing.T) {
	needRoot(t)
	needTools(t, "setfattr")
	site := newSite(t)
	dir, err := site.AddKit("kit", "comp")
	must(t, err)
	must(t, site.AddStateful("foo", xcatsite.Row{"kitcomponents": "comp"}, nil))
	program, err := filepath.EvalSymlinks("/bin/cat")
	must(t, err)
	text, err := os.ReadFile(program)
	must(t, err)
	for _, name := range []string{"suid", "caps"} {
		must(t, site.WriteFile(dir+"/"+name, 0o755, text))
	}
	must(t, os.Chmod(site.Path(dir+"/suid"), os.ModeSetuid|os.ModeSetgid|0o755))
	must(t, unix.Setxattr(site.Path(dir+"/caps"), "security.capability", fileCapability, 0))
	must(t, unix.Mknod(site.Path(dir+"/zero"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))))
	config := filepath.Join(t.TempDir(), "config.yaml")
	must(t, os.WriteFile(config, []byte("images: {foo: {extra: "+dir+"}}\n"), 0o600))
	secret := filepath.Join(emptyDir(t, "secret"), "file")
	must(t, os.WriteFile(secret, []byte("SECRET\n"), 0o600))
	openTheWay(t, secret)

	// The trap is one: outside of a mount these programs read what root can.
	trap := emptyDir(t, "trap")
	openTheWay(t, filepath.Join(trap, "x"))
	run(t, "cp", "-a", site.Path(dir+"/suid"), site.Path(dir+"/caps"), trap)
	must(t, unix.Setxattr(trap+"/caps", "security.capability", fileCapability, 0))
	for _, name := range []string{"suid", "caps"} {
		if r := asNobody(t, `"$1" "$2"`, filepath.Join(trap, name), secret); r.stdout != "SECRET\n" {
			t.Logf("%s gives no rights on %s either: %s", name, trap, r.stderr)
		}
	}
	for _, options := range []string{"allow_other,umask=0", "allow_other,umask=0,suid,dev,exec", "allow_other,umask=0,passthrough"} {
		t.Run(options, func(t *testing.T) {
			m := mountSite(t, site.Dir(), "--config", config, "-o", options)
			openTheWay(t, m.dir)
			points, err := os.ReadFile("/proc/self/mountinfo")
			must(t, err)
			line := ""
			for l := range strings.Lines(string(points)) {
				if strings.Contains(l, " "+m.dir+" ") {
					line = l
				}
			}
			expectContains(t, "the mount", line, "nosuid", "nodev", "ro")
			for _, at := range []string{"foo/kit", "foo/extra" + dir} {
				expectText(t, "modes in "+at, strings.Join(strings.Fields(run(t, "stat", "-c", "%a", m.path(at, "suid"), m.path(at, "caps"), m.path(at, "zero"))), " "), "444 444 444")
				r := asNobody(t, `cd "$1"; for p in suid caps; do "./$p" "$2"; /lib64/ld-linux-x86-64.so.2 "./$p" "$2"; done; head -c 1 zero | wc -c; getfattr -d -m - caps suid`, m.path(at), secret)
				expectNot(t, r.stdout, "SECRET")
				if strings.Contains(r.stdout, "1\n") || strings.Contains(r.stdout, "capability") {
					t.Errorf("%s: a device can be read, or a capability seen: %s", at, r.stdout)
				}
				expectDeviceClosed(t, m.path(at, "zero"))
			}
		})
	}
}

// expectDeviceClosed tries a device as root.
func expectDeviceClosed(t *testing.T, path string) {
	t.Helper()
	if st, err := os.Lstat(path); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		t.Errorf("%s is %v, %v", path, st, err)
	}
	if r := (process{args: []string{"head", "-c", "1", path}, mayFail: true}).run(t); r.code == 0 {
		t.Errorf("root can read the device %s", path)
	}
}
