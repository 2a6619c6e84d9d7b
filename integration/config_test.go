package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// configFile writes a configuration file that only its owner may read.
func configFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "imgexportfs.yaml")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// extrasSite has the images foo and bar, files to pack besides them, and a node with
// postscripts.
func extrasSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := smallSite(t, 100_000)
	must(t, site.WriteFile("/etc/motd", 0o644, []byte("welcome\n")))
	must(t, site.WriteFile("/opt/tools/bin/run", 0o755, []byte("#!/bin/sh\n")))
	for _, node := range []string{"n1", "n2"} {
		must(t, site.Insert("nodelist", xcatsite.Row{"node": node}))
		must(t, site.Insert("postscripts", xcatsite.Row{"node": node, "postscripts": "script-of-" + node}))
	}
	return site
}

const extrasConfig = `
images:
  foo:
    extra: [/etc/motd:/srv, /opt/tools]
    postscripts: n1
  'b*':
    postscripts: n2
`

// What the file says of images is in the bundles of the mount and of export, as -e and -p
// put it there; imgexport's own form stays imgexport's.
func TestMountedBundleHasTheExtrasAndPostscriptsOfTheFile(t *testing.T) {
	site := extrasSite(t)
	file := configFile(t, extrasConfig)
	m := mountSite(t, site.Dir(), "--config", file)
	work := t.TempDir()
	export := func(to string, args ...string) {
		t.Helper()
		expectCode(t, program(t, work, append([]string{"export", "--root", site.Dir()}, append(args, to)...)...), 0)
	}
	foo := []string{"foo", "-e", "/etc/motd:/srv", "-e", "/opt/tools", "-p", "n1"}
	export("flags.tgz", foo...)
	export("file.tgz", "--config", file, "foo")
	export("both.tgz", append(foo, "--config", file)...)
	export("plain.tgz", "foo")
	export("flags-bar.tgz", "bar", "-p", "n2")
	for _, same := range []string{m.path("foo.tgz"), "file.tgz", "both.tgz"} {
		shell(t, work, `cmp flags.tgz "$1"`, same)
	}
	shell(t, work, `cmp flags-bar.tgz "$1"`, m.path("bar.tgz"))
	shell(t, work, `! cmp -s flags.tgz plain.tgz; ln -s "$1" imgexport; ./imgexport foo link.tgz --root "$2" --config "$3"; cmp plain.tgz link.tgz`,
		programFile, site.Dir(), file)

	members := run(t, "tar", "tzf", m.path("foo.tgz"))
	expectContains(t, "members", members, "foo/manifest.xml\n", "foo/extra/motd\n", "foo/extra/opt/tools/bin/run\n")
	manifest := shell(t, work, `tar xzOf "$1" ./foo/manifest.xml`, m.path("foo.tgz"))
	expectContains(t, "manifest", manifest, "script-of-n1", "<dest>/srv</dest>", "<src>/opt/tools</src>")
	expectContains(t, "as a directory", run(t, "find", m.path("foo")), "/foo/extra/motd", "/foo/extra/opt/tools/bin/run")

	export("other.tgz", "--config", file, "foo", "-p", "n2") // -p counts more than the file
	other := shell(t, work, `tar xzOf other.tgz ./foo/manifest.xml`)
	expectContains(t, "manifest", other, "script-of-n2", "<dest>/srv</dest>")
	list := program(t, work, "list", "--bytes", "--root", site.Dir(), "--config", file)
	expectContains(t, "list", list.stdout, strings.TrimSpace(shell(t, work, "stat -c %s flags.tgz")))
	expectContains(t, "verify", program(t, work, "verify", "--root", site.Dir(), m.path("foo.tgz")).stdout, "current")
}

// A mistyped image of the file would silently change nothing: check says so, if it looks
// at all images.
func TestCheckNamesEntriesOfTheFileThatAreForNoImage(t *testing.T) {
	site := extrasSite(t)
	file := configFile(t, "images:\n  foo: {postscripts: n1}\n  fooo: {postscripts: n2}\n")
	check := func(args ...string) result {
		return program(t, t.TempDir(), append([]string{"check", "--root", site.Dir(), "--config", file}, args...)...)
	}
	all := check()
	expectCode(t, all, 1)
	expectContains(t, "check", all.stdout, file+`:3: images: "fooo" is for no image of the site; did you mean foo`+"\n", "1 line of "+file+" for no image\n")
	expectCode(t, check("foo"), 0)
}

// A line of fstab names the file as an option, and a mount in the background reads it.
func TestFstabLineNamesAConfigurationFile(t *testing.T) {
	site := extrasSite(t)
	file := configFile(t, "cfgloc: SQLite:/etc/xcat\noptions: [umask=022]\n"+extrasConfig)
	r := privately(t, "none", "fuse.imgexportfs", "config="+file+",root="+site.Dir(), `
		mount -T "$fstab" "$dir"
		tar tzf "$dir/foo.tgz" ./foo/extra/motd
		stat -c %a "$dir/foo.tgz"
		findmnt -n -o SOURCE "$dir"
		umount "$dir"`)
	expectCode(t, r, 0)
	expectText(t, "stdout", r.stdout, "./foo/extra/motd\n444\nSQLite:/etc/xcat\n")

	must(t, os.Chmod(file, 0o644))
	must(t, os.WriteFile(file, []byte("cfgloc: mysql:dbname=d;host=127.0.0.1;port=1|admin|geheim\n"), 0))
	r = program(t, "", "mount", "--daemon", "--config", file, t.TempDir())
	expectCode(t, r, 3)
	if strings.Count(r.stderr, "holds a password") != 1 || strings.Contains(r.stderr, "geheim") {
		t.Errorf("stderr %s", r.stderr)
	}
}

// A setting is the command line's, or else the environment's, or else the file's, or else
// the default.
func TestSettingsComeFromTheCommandLineBeforeTheEnvironmentBeforeTheFile(t *testing.T) {
	file := configFile(t, "cfgloc: SQLite:/f\ncache-dir: /f\nmemory: 100MiB\nlevel: 2\nrefresh: 7\noptions: [umask=022, noexec]\n")
	for _, c := range []struct {
		env, args string
		want      []string
	}{
		{"", "", []string{"cfgloc: SQLite:/f # FILE:1", "cache-dir: /f # FILE:2", "memory: 100MiB # FILE:3", "level: 2 # FILE:4", "refresh: 7s # FILE:5",
			"options: [umask=022, noexec] # FILE:6", "compression: auto # default", "pprof: false # default"}},
		{"XCATCFG=SQLite:/e IMGEXPORTFS_CACHE_DIR=/e", "", []string{"cfgloc: SQLite:/e # XCATCFG", "cache-dir: /e # IMGEXPORTFS_CACHE_DIR"}},
		{"XCATCFG=SQLite:/e", "--root /", []string{"cfgloc: SQLite:/e # XCATCFG"}},
		{"XCATCFG=SQLite:/e", "--root /mnt", []string{"cfgloc: SQLite:/f # FILE:1", "root: /mnt # command line"}},
		{"XCATCFG=SQLite:/e IMGEXPORTFS_CACHE_DIR=/e", "--cfgloc SQLite:/c --cache-dir /c --memory 1GiB --level 9 -o refresh=1,umask=077",
			[]string{"cfgloc: SQLite:/c # command line", "cache-dir: /c # command line", "memory: 1GiB # command line", "level: 9 # command line",
				"refresh: 1s # command line", "options: [umask=022, noexec, refresh=1, umask=077] # FILE:6, command line"}},
		{"IMGEXPORTFS_CONFIG=/nosuch", "--config " + file, []string{"memory: 100MiB # FILE:3"}},
	} {
		args := append([]string{"env", "-u", "IMGEXPORTFS_CACHE_DIR", "IMGEXPORTFS_CONFIG=" + file}, strings.Fields(c.env)...)
		args = append(append(args, programFile, "config"), strings.Fields(c.args)...)
		out := strings.ReplaceAll(run(t, args...), file, "FILE")
		for _, line := range c.want {
			expectContains(t, c.env+" "+c.args, "\n"+out, "\n"+line+"\n")
		}
	}
}

// No password is printed, and a file that shows one to every user is named.
func TestConfigMasksPasswords(t *testing.T) {
	file := configFile(t, "cfgloc: mysql:dbname=xcatdb;host=mn|admin|geheim\n")
	r := program(t, "", "config", "--config", file)
	expectText(t, "stderr", r.stderr, "")
	expectContains(t, "stdout", r.stdout, "\ncfgloc: mysql:dbname=xcatdb;host=mn|admin|(hidden) # "+file+":1\n")
	must(t, os.Chmod(file, 0o644))
	r = program(t, "", "list", "--config", file, "--root", t.TempDir())
	expectContains(t, "stderr", r.stderr, file+":1 holds a password, and every user may read it; chmod 600 "+file)
	for _, args := range [][]string{{"config"}, {"list"}, {"mount", t.TempDir()}} {
		r := process{args: append([]string{programFile}, args...), env: []string{"XCATCFG=mysql:dbname=d;host=127.0.0.1;port=1|admin|geheim", "IMGEXPORTFS_CONFIG=" + file}, mayFail: true}.run(t)
		if strings.Contains(r.stdout+r.stderr, "geheim") {
			t.Errorf("%q shows the password: %s%s", args, r.stdout, r.stderr)
		}
	}
}

// Whatever is wrong with the file, every command that reads it names file and line, also of
// what it does not use, and ends with code 2.
func TestWrongConfigurationFilesAreErrorsWithTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"root: /\nmemroy: 5\n":               `:2: unknown key "memroy"`,
		"\nmemory: many\n":                   ":2: memory: invalid size",
		"level: high\n":                      ":1: level: the value is a string",
		"level: 10\n":                        ":1: level: compression level 10",
		"compression: zip\n":                 `:1: compression: compression "zip"`,
		"cache-dir: 5\n":                     ":1: cache-dir: the value is a number",
		"refresh: -1\n":                      ":1: refresh: cannot be negative",
		"log-format: xml\n":                  ":1: log-format: unknown format",
		"metrics-addr: nowhere:x:y\n":        ":1: metrics-addr: ",
		"options: [ro, refresh=5]\n":         `:1: options: unknown option "refresh"`,
		"daemon: true\n":                     `:1: unknown key "daemon"`,
		"images: {a: {extra: [x]}}\n":        ":1: extra: ",
		"images:\n  a:\n    postscript: n\n": `:3: unknown key "postscript" of image a`,
		"a: b: c\n":                          ":1: not YAML: ",
	} {
		commands := []string{"list"}
		if strings.HasPrefix(text, "images: ") {
			commands = []string{"list", "check", "config", "mount /tmp/none", "export foo", "dump /tmp/none", "verify none.tgz"}
		}
		file := configFile(t, text)
		for _, command := range commands {
			r := program(t, "", append(strings.Fields(command), "--config", file)...)
			if r.code != 2 || !strings.HasPrefix(r.stderr, "Error: "+file+want) {
				t.Errorf("%q, %s: code %d, %s", text, command, r.code, r.stderr)
			}
		}
	}
	r := program(t, "", "list", "--config", "/nosuch.yaml")
	if r.code != 2 || !strings.Contains(r.stderr, "/nosuch.yaml: no such file") {
		t.Errorf("a file that is not there: code %d, %s", r.code, r.stderr)
	}
	expectCode(t, program(t, "", "umount", "--help"), 0)
}
