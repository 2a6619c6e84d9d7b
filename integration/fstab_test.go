package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// privately runs a script that sees links to the program as helpers of mount(8), in
// mounts of its own: the host's /sbin stays as it is. $fstab is a table with the line
// SOURCE DIR TYPE OPTIONS, and $dir its directory.
func privately(t *testing.T, source, fstype, options, script string) result {
	t.Helper()
	needFUSE(t)
	needTools(t, "unshare", "findmnt")
	work := t.TempDir()
	must(t, os.Mkdir(work+"/sbin", 0o755))
	must(t, os.Mkdir(work+"/mnt", 0o755))
	for _, helper := range []string{"mount.imgexportfs", "mount.fuse.imgexportfs"} {
		must(t, os.Symlink(programFile, filepath.Join(work, "sbin", helper)))
	}
	line := fmt.Sprintf("%s %s %s %s 0 0\n", source, work+"/mnt", fstype, options)
	must(t, os.WriteFile(work+"/fstab", []byte(line), 0o600))
	return process{
		args: []string{"unshare", "-m", "bash", "-euc", `
			mount --bind sbin "$(readlink -f /sbin)"
			trap 'umount -l "$dir" 2>/dev/null || true' EXIT
			` + script},
		dir: work, env: []string{"fstab=" + work + "/fstab", "dir=" + work + "/mnt"}, mayFail: true,
	}.run(t)
}

// A line of fstab is enough: mount(8) returns when the mount answers, findmnt shows which
// site it is of, and mount -a finds it done.
func TestFstabLineMounts(t *testing.T) {
	site := smallSite(t, 1000)
	must(t, os.WriteFile(site.Path("/etc/xcat/cfgloc"), []byte("SQLite:/etc/xcat\n"), 0o600))
	options := "root=" + site.Dir() + ",refresh=5,memory=64MiB,cache_size=0,allow_other,umask=022,uid=12,gid=34"
	for name, c := range map[string]struct{ source, fstype, options, shown string }{
		"no source":     {"none", "fuse.imgexportfs", options, "SQLite:/etc/xcat"},
		"location":      {"SQLite:/etc/xcat", "fuse.imgexportfs", options, "SQLite:/etc/xcat"},
		"file":          {"/etc/xcat/cfgloc", "fuse.imgexportfs", options, "/etc/xcat/cfgloc"},
		"short type":    {"none", "imgexportfs", options, "SQLite:/etc/xcat"},
		"others' words": {"none", "fuse.imgexportfs", options + ",nofail,_netdev,user,noexec,x-systemd.automount,comment=xCAT,context=system_u:object_r:nfs_t:s0", "SQLite:/etc/xcat"},
	} {
		t.Run(name, func(t *testing.T) {
			r := privately(t, c.source, c.fstype, c.options, `
				mount -T "$fstab" "$dir"
				stat -c '%n %u:%g %a' "$dir/foo.tgz" | sed "s|$dir/||"
				findmnt -n -o SOURCE,FSTYPE "$dir"
				mount -a -T "$fstab"
				grep -c " $dir " /proc/self/mountinfo
				umount "$dir"`)
			expectCode(t, r, 0)
			expectText(t, "stdout", r.stdout, "foo.tgz 12:34 444\n"+c.shown+" fuse.imgexportfs\n1\n")
			expectText(t, "stderr", r.stderr, "")
		})
	}
}

// What the helper cannot do it says, with the exit codes of mount(8).
func TestFstabLinesThatAreWrong(t *testing.T) {
	site := smallSite(t, 1000)
	root := "root=" + site.Dir()
	for name, c := range map[string]struct {
		options, script string
		code            int
		says            string
	}{
		"unknown option":        {root + ",nosuch=1", `mount -T "$fstab" "$dir"`, 1, `unknown option "nosuch"`},
		"wrong value":           {root + ",memory=much", `mount -T "$fstab" "$dir"`, 1, "option memory: "},
		"location as an option": {root + ",cfgloc=SQLite:/etc/xcat", `mount -T "$fstab" "$dir"`, 1, "option cfgloc: "},
		"no such site":          {"root=/nosuch", `mount -T "$fstab" "$dir"`, 32, "/nosuch"},
		"in the way":            {root, `touch "$dir/x"; mount -T "$fstab" "$dir"`, 32, "not empty"},
		"missing namespace":     {root, `/sbin/mount.imgexportfs none "$dir" -N /nosuch -o ` + root, 32, "namespace /nosuch"},
		"no directory":          {root, `/sbin/mount.imgexportfs none`, 1, "SOURCE DIR"},
	} {
		t.Run(name, func(t *testing.T) {
			r := privately(t, "none", "fuse.imgexportfs", c.options, c.script)
			expectCode(t, r, c.code)
			expectContains(t, "stderr", r.stderr, "Error: ", c.says)
		})
	}
}

// The flags of mount(8)'s helpers do what mount(8) says of them.
func TestFlagsOfMountHelpers(t *testing.T) {
	site := smallSite(t, 1000)
	root := "root=" + site.Dir()
	for name, c := range map[string]struct{ script, stdout string }{
		"fake":       {`mount -f -T "$fstab" "$dir"; ls "$dir"`, ""},
		"sloppy":     {`mount -s -T "$fstab" -o nosuch=1,nosuch "$dir"; ls "$dir"/foo.tgz.sha256`, "foo.tgz.sha256"},
		"read-write": {`mount -w -T "$fstab" "$dir"; cat "$dir/.imgexportfs/log"`, "rw is ignored"},
		"read-only":  {`mount -r -n -T "$fstab" "$dir"; findmnt -n -o OPTIONS "$dir"`, "ro,nosuid,nodev,"},
		"verbose":    {`/sbin/mount.imgexportfs none "$dir" -v -t imgexportfs -o ` + root, "2 images"},
		"namespace": {`mkfifo inside
			unshare -m bash -c 'echo $BASHPID > inside; sleep 30' & read -r pid < inside
			/sbin/mount.imgexportfs none "$dir" -N $pid -o ` + root + `
			echo "here $(ls "$dir" | wc -l), there $(nsenter -t $pid -m ls "$dir" | wc -l)"
			nsenter -t $pid -m umount "$dir"; kill $pid`, "here 0, there "},
	} {
		t.Run(name, func(t *testing.T) {
			r := privately(t, "none", "fuse.imgexportfs", root, c.script)
			expectCode(t, r, 0)
			expectContains(t, "stdout", r.stdout, c.stdout)
			expectNot(t, r.stdout, "there 0")
		})
	}
}

// -o means on the command line what it means in fstab, and flags may follow the
// directory.
func TestOptionsOfTheCommandLine(t *testing.T) {
	site := smallSite(t, 1000)
	must(t, site.AddStateful("baz", xcatsite.Row{"description": "bbbb"}, nil))
	m := mountSite(t, "/nosuch", "-o", "root="+site.Dir()+",uid=12,gid=34", "-o", "umask=027,nofail,refresh=0.05,rw")
	expectLines(t, "owner", strings.Fields(run(t, "stat", "-c", "%u:%g %a", m.path("baz.tgz"))), []string{"12:34", "440"})
	eventually(t, "the log says what becomes of rw", func() bool { return strings.Contains(m.log.String(), "rw is ignored") })
}
