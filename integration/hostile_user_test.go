package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

func init() { helpers["stranger"] = helperStranger }

// asNobody runs a script as a user without rights; $1, $2... are args.
func asNobody(t *testing.T, script string, args ...string) result {
	t.Helper()
	argv := append([]string{"bash", "-c", script, "bash"}, args...)
	return process{args: argv, dir: "/", as: nobody(), mayFail: true}.run(t)
}

// expectDenied holds a script of another user to failing, and to reading nothing.
func expectDenied(t *testing.T, what, script string, args ...string) {
	t.Helper()
	if r := asNobody(t, script, args...); r.code == 0 || r.stdout != "" {
		t.Errorf("another user can %s: exit code %d, %s", what, r.code, clip(r.stdout))
	}
}

// Without allow_other another user sees nothing of a mount, by any call.
func TestAnotherUserSeesNothingOfAPrivateMount(t *testing.T) {
	site := smallSite(t, 1000)
	m := mountSite(t, site.Dir(), "-o", "umask=0")
	openTheWay(t, m.dir)
	for what, script := range map[string]string{
		"list it": `ls "$1"`, "look at a file": `stat "$1/foo.tgz"`, "go there": `cd "$1" && echo there`, "read a bundle": `head -c 1 "$1/foo.tgz"`,
		"read the status": `cat "$1/.imgexportfs/status.json"`, "ask for a node": `stat "$1/@n1"`, "ask for attributes": `getfattr -d "$1/foo.tgz" && echo yes`,
	} {
		expectDenied(t, what, script, m.dir)
	}
	if r := asNobody(t, `"$1" status "$2"`, copyForOthers(t, programFile), m.dir); strings.Contains(r.stdout, "foo") {
		t.Errorf("status shows another user %s", r.stdout)
	}
}

// copyForOthers is a copy of a program where every user reaches it.
func copyForOthers(t *testing.T, file string) string {
	t.Helper()
	dir := emptyDir(t, "bin")
	to := filepath.Join(dir, filepath.Base(file))
	run(t, "cp", file, to)
	must(t, os.Chmod(to, 0o755))
	openTheWay(t, to)
	return to
}

// What the server keeps is for its own user: the cache, the log, temporary files, and in
// /proc the environment, the memory and the open files. Its command line shows no password.
func TestAnotherUserReadsNothingOfTheServer(t *testing.T) {
	site := mixedSite(t)
	cache, work := emptyDir(t, "cache"), emptyDir(t, "log")
	must(t, os.Chmod(cache, 0o700))
	openTheWay(t, cache)
	openTheWay(t, filepath.Join(work, "x"))
	secret := fmt.Sprintf("s3cret%x", rand.Uint64())
	log := filepath.Join(work, "server.log")
	m := mountUnheard(t, emptyDir(t, "mount"), site.Dir(), []string{"XCATCFG=mysql:dbname=x;host=h|reader|" + secret},
		"--cfgloc", "SQLite:/etc/xcat", "--cache-dir", cache, "-o", "allow_other,umask=022", "--log-file", log, "--log-level", "debug", "--verbose")
	openTheWay(t, m.dir)
	run(t, "cat", m.path("mixed.tgz"), m.path("mixed.tgz.sha256"))
	eventually(t, "the cache has files", func() bool { return run(t, "find", cache, "-ignore_readdir_race", "-type", "f") != "" })
	files := strings.Fields(run(t, "find", cache, "-mindepth", "1"))
	for _, file := range append(files, cache, log) {
		expectDenied(t, "read "+file, `cat "$1" || ls "$1/"`, file)
	}
	must(t, os.Chmod(cache, 0o755)) // what an administrator may have made of it
	for _, file := range files {
		expectDenied(t, "read "+file, `cat "$1" || ls "$1/"`, file)
	}
	must(t, os.Chmod(cache, 0o700))
	proc := fmt.Sprint("/proc/", m.cmd.Process.Pid)
	for _, file := range []string{"environ", "mem", "maps", "auxv", "fd", "map_files", "cwd", "root", "exe"} {
		expectDenied(t, "read "+file, `cat "$1" || ls "$1/"`, proc+"/"+file)
	}
	shown := asNobody(t, `cat "$1/cmdline" "$1/comm" "$1/status" "$1/mountinfo"; readlink "$1"/fd/*`, proc)
	expectNot(t, shown.stdout, secret)
	for _, shown := range whoShows(t, secret) {
		if !strings.Contains(shown, proc+"/environ") { // which only root can read, as tried above
			t.Errorf("the password is in %s", shown)
		}
	}
}

// helperStranger DIR FIRST COUNT looks at, opens and asks for the attributes of so many
// names of a mount, most of which stand for nothing.
func helperStranger(args []string) error {
	first, errFirst := strconv.Atoi(args[1])
	count, errCount := strconv.Atoi(args[2])
	for i := first; i < first+count; i++ {
		name := strings.Repeat(fmt.Sprint("x", i), 20)
		path := args[0] + "/" + [...]string{
			"nosuch" + name, fmt.Sprintf("@n%d,n%d/foo.tgz", i%1000, i/1000), "@" + name,
			"foo/" + name, fmt.Sprintf("@(n%d)/foo/manifest.xml", i), ".imgexportfs/" + name,
		}[i%6]
		_, _ = os.Stat(path) // most are not there
		_, _ = unix.Listxattr(path, make([]byte, 100))
		if f, err := os.Open(path); err == nil {
			_ = f.Close()
		}
	}
	return errors.Join(errFirst, errCount)
}

// With allow_other another user may use any name and any call, and the server gets no larger
// for it.
func TestAnotherUserCannotMakeTheServerGrow(t *testing.T) {
	if raced() {
		t.Skip("the race detector takes several times the memory")
	}
	names := 6_000
	if soaking() {
		names = 1_000_000
	}
	site := smallSite(t, 1000)
	must(t, site.WriteFile("/install/t.tmpl", 0o644, xcatsite.Noise("t", 1000)))
	addNodes(t, site, 1000)
	m := mountSiteEnv(t, site.Dir(), []string{"GOMAXPROCS=2", "GOGC=50"}, "-o", "allow_other,umask=022", "--memory", "32MiB", "--refresh", "1h")
	openTheWay(t, m.dir)
	self, err := os.Executable()
	must(t, err)
	stranger := copyForOthers(t, self)
	ask := func(start, count int) int64 {
		process{
			args: []string{stranger, m.dir, strconv.Itoa(start), strconv.Itoa(count)}, env: []string{helperVariable + "=stranger"},
			dir: "/", as: nobody(), limit: 10 * time.Minute,
		}.run(t)
		for range 3 { // the kernel drops what was used lately at the second time only
			must(t, os.WriteFile("/proc/sys/vm/drop_caches", []byte("2"), 0))
			time.Sleep(300 * time.Millisecond)
		}
		return m.memory(t)
	}
	before := ask(0, names/2)
	after := ask(names/2, names)
	t.Logf("%d KiB resident after %d names of another user, %d KiB after %d", before>>10, names/2, after>>10, names+names/2)
	if after > before+(16<<20) {
		t.Errorf("%d names more take %d KiB", names, (after-before)>>10)
	}
	expectText(t, "files for the owner", shell(t, m.dir, `ls | sort | head -n 1`), "bar\n")
}
