package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// nightly is the script of docs/operations.md that copies the mount $1 to $2.
func nightly(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	must(t, err)
	_, rest, _ := strings.Cut(string(text), "#!/bin/sh\n# Copy the bundles of a mount")
	script, _, found := strings.Cut(rest, "\n```")
	if !found {
		t.Fatal("docs/operations.md has no script that copies the bundles of a mount")
	}
	return "#!/bin/sh\n# Copy the bundles of a mount" + script
}

// runNightly runs the script as the documentation has it, with the program under test;
// then is what happens when the script has asked for the status.
func runNightly(t *testing.T, from, to, then string) result {
	t.Helper()
	bin := t.TempDir()
	wrapper := fmt.Sprintf("#!/bin/sh\n%[1]s \"$@\"; code=$?\n%[2]s\nexit $code\n", programFile, then)
	must(t, os.WriteFile(filepath.Join(bin, "imgexportfs"), []byte(wrapper), 0o755))
	return process{
		args: []string{"sh", "-c", nightly(t), "nightly", from, to},
		env:  []string{"PATH=" + bin + ":" + os.Getenv("PATH")}, mayFail: true,
	}.run(t)
}

// The script of the documentation copies all bundles, removes those of images that the
// site has no more, and removes nothing when the mount is absent, dead, or unmounted
// meanwhile. rsync alone removes everything.
func TestNightlyCopyNeverEmptiesTheBackup(t *testing.T) {
	needTools(t, "rsync", "mountpoint")
	site := newClientSite(t, smallSite(t, 1<<20))
	m := site.mount(t)
	backup := emptyDir(t, "backup")
	must(t, os.WriteFile(backup+"/gone.tgz", []byte("of an image that was"), 0o600))
	expectCode(t, runNightly(t, m.dir, backup, ""), 0)
	expectLines(t, "files", listing(t, backup), []string{"bar.tgz", "bar.tgz.sha256", "foo.tgz", "foo.tgz.sha256"})
	site.expectBundles(t, backup)
	expectText(t, "files that others may read", shell(t, backup, `find . -type f -perm /077`), "")

	whole := listing(t, backup)
	runNightly(t, m.dir, backup, programFile+" umount "+m.dir)
	expectLines(t, "files after the mount went meanwhile", listing(t, backup), whole)
	site.expectBundles(t, backup)
	m.stop(t)

	m = site.mountOn(t, m.dir)
	m.signal(t, 9)
	<-m.done
	if r := runNightly(t, m.dir, backup, ""); r.code == 0 {
		t.Errorf("the copy of a dead mount succeeds: %s%s", r.stdout, r.stderr)
	}
	expectLines(t, "files after a copy of a dead mount", listing(t, backup), whole)
	expectCode(t, program(t, "", "umount", m.dir), 0)
	if r := runNightly(t, m.dir, backup, ""); r.code == 0 {
		t.Errorf("the copy of an absent mount succeeds: %s%s", r.stdout, r.stderr)
	}
	expectLines(t, "files after a copy of an absent mount", listing(t, backup), whole)

	run(t, "rsync", "-a", "--delete", m.dir+"/", backup)
	expectLines(t, "files after rsync --delete from an absent mount", listing(t, backup), nil)
}

// rsync -a gives the copy of a mount the modes of the mount: all may read it if all may
// read the mount, and a user who is not root cannot tidy it up. With --no-perms the modes
// are those of the place.
func TestCopiesOfOtherUsersNeedNoPerms(t *testing.T) {
	needTools(t, "rsync")
	site := newClientSite(t, smallSite(t, 100_000))
	m := site.mount(t, "-o", "allow_other,umask=022")
	openTheWay(t, m.dir)
	for _, c := range []struct {
		flags, modes string
		tidy         bool
	}{
		{"-a", "444\n555\n", false},
		{"-a --no-perms --chmod=F600,D700", "600\n700\n", true},
	} {
		backup := emptyDir(t, "backup")
		openTheWay(t, backup)
		must(t, os.Chown(backup, int(nobody().Uid), int(nobody().Gid)))
		as := func(args ...string) int {
			return process{args: args, as: nobody(), dir: "/", mayFail: true}.run(t).code
		}
		sync := append(append([]string{"rsync"}, strings.Fields(c.flags)...), m.dir+"/", backup)
		for range 2 {
			if code := as(sync...); code != 0 {
				t.Fatalf("rsync %s: exit code %d", c.flags, code)
			}
			site.expectBundles(t, backup)
			site.changeBar(t, m, "for "+c.flags, 100_000)
		}
		expectText(t, "modes with "+c.flags, shell(t, backup, `find . -mindepth 1 -printf '%m\n' | sort -u`), c.modes)
		if code := as("rm", "-r", backup+"/bar"); (code == 0) != c.tidy {
			t.Errorf("rm -r of what rsync %s has written: exit code %d", c.flags, code)
		}
	}
}

// tar writes to a tape what it can compare with the mount afterwards, also of another
// mount and after another boot.
func TestTapeHoldsWhatTheMountShows(t *testing.T) {
	t.Parallel()
	site := newClientSite(t, bulkSite(t))
	m := site.mount(t)
	tape := filepath.Join(t.TempDir(), "tape")
	shell(t, m.dir, `tar -c -b 512 -f "$1" -- *.tgz *.tgz.sha256`, tape)
	m.stop(t)
	again := site.mountOn(t, m.dir)
	shell(t, again.dir, `tar -d -b 512 -f "$1"`, tape)
	to := emptyDir(t, "restored")
	run(t, "tar", "-x", "-b", "512", "-C", to, "-f", tape)
	site.expectBundles(t, to)
	shell(t, to, `sha256sum --quiet -c *.sha256`)
}

// restic's second backup reads no bundle again, also of another mount, if it is told that
// inode numbers mean nothing; and what it restores is right.
func TestResticBackup(t *testing.T) {
	needClients(t, "restic")
	logVersion(t, "restic", "version")
	site := newClientSite(t, bulkSite(t))
	m := site.mount(t)
	work := t.TempDir()
	env := []string{"RESTIC_REPOSITORY=" + work + "/repository", "RESTIC_PASSWORD=x", "RESTIC_CACHE_DIR=" + work + "/cache"}
	restic := func(script string, args ...string) string {
		t.Helper()
		argv := append([]string{"bash", "-euo", "pipefail", "-c", script, "bash"}, args...)
		return process{args: argv, dir: m.dir, env: env}.run(t).stdout
	}
	type summary struct {
		New       int   `json:"files_new"`
		Changed   int   `json:"files_changed"`
		Unchanged int   `json:"files_unmodified"`
		Added     int64 `json:"data_added"`
	}
	backup := func(flags string) (s summary) {
		t.Helper()
		lines := strings.Split(strings.TrimSpace(restic(`restic backup --json $1 -- *.tgz *.tgz.sha256`, flags)), "\n")
		must(t, json.Unmarshal([]byte(lines[len(lines)-1]), &s))
		t.Logf("restic backup %s: %+v", flags, s)
		return s
	}
	restic(`restic init`)
	files := 2 * len(bulkImages)
	if s := backup("--ignore-inode"); s.New != files {
		t.Errorf("the first backup: %+v", s)
	}
	m.stop(t)
	m = site.mountOn(t, m.dir)
	if s := backup("--ignore-inode"); s.Unchanged != files {
		t.Errorf("from another mount, with --ignore-inode: %+v", s)
	}
	m.stop(t)
	m = site.mountOn(t, m.dir)
	if s := backup(""); s.Changed != files || s.Added > 1<<20 {
		t.Errorf("from another mount, without --ignore-inode: %+v; docs/operations.md says that it reads all and adds nothing", s)
	}
	restic(`restic check --read-data`)
	restic(`restic restore latest --target "$1"`, work+"/restored")
	site.expectBundles(t, filepath.Dir(strings.TrimSpace(shell(t, work+"/restored", `find "$PWD" -name stateless.tgz`))))
}

// borg's second backup reads only what has the newest time again, as it always does, also
// of another mount, if its cache of files goes by time and size alone; and what it
// extracts is right.
func TestBorgBackup(t *testing.T) {
	needClients(t, "borg")
	logVersion(t, "borg", "--version")
	small := smallSite(t, 1<<20)
	must(t, small.Touch(xcatsite.ProfileDir("bar")+"/kernel", xcatsite.Epoch.Add(time.Hour)))
	site := newClientSite(t, small)
	m := site.mount(t)
	work := t.TempDir()
	env := []string{"BORG_BASE_DIR=" + work, "BORG_REPO=" + work + "/repository", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes"}
	borg := func(dir, script string, args ...string) result {
		t.Helper()
		argv := append([]string{"bash", "-euo", "pipefail", "-c", script, "bash"}, args...)
		return process{args: argv, dir: dir, env: env}.run(t)
	}
	// states are borg's letters for files: A added, M modified, U unchanged.
	states := func(archive, flags string) (letters string) {
		t.Helper()
		r := borg(m.dir, `borg create --list $2 "::$1" *.tgz *.tgz.sha256`, archive, flags)
		for line := range strings.Lines(r.stdout + r.stderr) {
			letters += line[:1]
		}
		t.Logf("borg create %s: %s", flags, letters)
		return letters
	}
	borg(work, `borg init -e none`)
	expectText(t, "the first backup", states("one", "--files-cache=mtime,size"), "AAAA")
	m.stop(t)
	m = site.mountOn(t, m.dir)
	expectText(t, "from another mount, by time and size", states("two", "--files-cache=mtime,size"), "AUAU")
	m.stop(t)
	m = site.mountOn(t, m.dir)
	if got := states("three", ""); strings.Contains(got, "U") {
		t.Errorf("from another mount, by inode: %s; docs/operations.md says that it reads all", got)
	}
	borg(work, `borg check --verify-data`)
	to := emptyDir(t, "extracted")
	borg(to, `borg extract ::three`)
	site.expectBundles(t, to)
}
